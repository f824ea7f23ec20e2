# The commands of this project; CI runs the same ones (.ci/run).
.PHONY: fix check test docs quality long

fix:      ## format, and mend what can be mended by machine
	ruff format .
	ruff check --fix .

check:    ## format, lint, types
	ruff format --check .
	ruff check .
	mypy --strict boilerplate

test:     ## the fast tests, under three minutes
	pytest -n 2 -m "not slow"

docs:     ## README, docstrings and notebooks run
	pytest -q --doctest-modules --doctest-glob=README.md boilerplate README.md
	python notebooks/run.py

quality:  ## measure the packaged model for the gate: tests/quality.json; needs the corpora (BOILERPLATE_DATA); minutes
	python tests/quality.py

long:     ## the slow tests
	pytest -n 2 -m slow
