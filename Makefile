# make up      everything needed, then the platform on http://127.0.0.1:8000 (PORT, HOST and the rest: deploy/config.py)
# make test    everything needed, then the whole test suite (PYTEST_FLAGS for more)
# make check   linters, types, import rules, migrations, Django's deployment checks
# make bench   what the platform does per second here, beside plainer ways to do the same
# make bench-sockets   ten thousand idle sockets beside nchan, socket.io and stock Channels (BENCH_FLAGS: see tests/bench_sockets/__main__.py)
# make chaos   kills a platform under load and counts what is lost or doubled (CHAOS_FLAGS: see tests/chaos/__main__.py)
# make doctor  says what is not in order beside a running `make up` (DOCTOR_FLAGS for more)
# make lock    write both lock files anew from pyproject.toml

PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
# Files in the order of tests/fixtures/order.py. loadfile: with pytest 9.2 the groups of pytest-xdist 3.8 are not heeded (it sets a name that nobody reads any more).
PYTEST_FLAGS ?= -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: up test check bench bench-sockets chaos doctor lock runtime development
.DEFAULT_GOAL := up

# exec, so that signals reach the launcher itself.
up: runtime
	@exec $(BIN)/python -m deploy.launcher

test: development
	@$(BIN)/python -m pytest $(PYTEST_FLAGS)

bench: development
	@$(BIN)/python -m tests.bench

bench-sockets: development
	@$(BIN)/python -m tests.bench_sockets $(BENCH_FLAGS)

doctor: runtime
	@$(BIN)/python manage.py doctor $(DOCTOR_FLAGS)

chaos: development
	@$(BIN)/python -m tests.chaos $(CHAOS_FLAGS)

# Django's command would like to see what has been applied, and says at length that nobody answers.
WITHOUT_DATABASE := import logging, sys; logging.getLogger('psycopg.pool').disabled = True; \
	from django.core.management import execute_from_command_line; execute_from_command_line(sys.argv)

# Settings as in production, with secrets made for the moment; nothing is connected to.
check: export CARILLON_DEBUG := 0
check: export CARILLON_PUBLIC_URL := https://carillon.example.org
check: export CARILLON_ALLOWED_HOSTS := carillon.example.org
check: export DATABASE_URL := postgresql://carillon@localhost/carillon
check: export REDIS_URL := redis://localhost
check: export DJANGO_SETTINGS_MODULE := deploy.settings
check: development
	@export CARILLON_SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(50))') \
		CARILLON_ENCRYPTION_KEYS=$$($(BIN)/python -c \
			'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())') \
	&& set -x \
	&& $(BIN)/ruff check . \
	&& $(BIN)/ruff format --check . \
	&& $(BIN)/mypy \
	&& $(BIN)/lint-imports \
	&& $(BIN)/python -W ignore::RuntimeWarning -c "$(WITHOUT_DATABASE)" makemigrations --check --dry-run \
	&& $(BIN)/python -m django check --deploy --fail-level WARNING

lock:
	@test -x .uv/bin/uv || { $(PYTHON) -m venv .uv && .uv/bin/pip install --quiet uv; }
	.uv/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header --quiet pyproject.toml -o requirements.lock
	.uv/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header --quiet -c requirements.lock --extra dev pyproject.toml -o tests/requirements.lock

runtime:
	@$(if $(PYTHON),,$(error Carillon needs Python 3.11 or newer))$(PYTHON) -I deploy/install.py requirements.lock

development:
	@$(if $(PYTHON),,$(error Carillon needs Python 3.11 or newer))$(PYTHON) -I deploy/install.py tests/requirements.lock
