"""The page of what simulated readers can do wrong, from the table of switches and actions."""

import json

from simulator.faults import ACTIONS, switches

# ruff: noqa: E501 - the page's lines are as long as a page's

MADE = "<!-- Made by `make docs` from the code; changes here are overwritten. -->"
INTRODUCTION = """\
# What simulated readers do wrong

A **switch** holds while it is set; an **action** happens once. Scenarios declare both, and both are there while readers are
served. What is lost on the way is counted (`unheard_reads`, `overflowed_reads`) and logged. A reader's UTC and its Uptime stay
between 0 and 2100-01-01 in UTC microseconds, whatever offset, steps and skew come to: a step stops there and the clock runs on,
and an offset beyond it shows the end itself. `mishaps` counts defects of the simulator that a fault found: the first of a
kind is logged, and the reader goes on.

## In a scenario
```toml
[[faults]]
reader = "r1"
at_s = 20
for_s = 10                     # left out: to the end
switches = { silent_antennas = [2], clock_skew_ppm = 200.0, detuned_db = { 1 = 6.0 } }

[[faults]]
reader = "r1"
at_s = 40
actions = { reboot = { down_s = 3.0 } }
```

## By HTTP
`stockgate-sim serve SCENARIO --http 8085` serves an API on the loopback address of `--listen`; with `--http 0` the ready file
says on which port. A body is one JSON value of up to 65,536 bytes, whatever type the request claims; `"yes"` and `1` are no
`true`, and `"0.5"` is no number. Errors are problem details that say what to change.

One call switches a fault on:
```sh
curl -X PUT http://127.0.0.1:8085/readers/r1/faults/half_open
```
With a value, and put back by itself after ten seconds of the scenario:
```sh
curl -X PUT -d '{"1": 6.0}' 'http://127.0.0.1:8085/readers/r1/faults/detuned_db?for_s=10'
```
Back to normal, something that happens once, and a light beam that is broken and free again:
```sh
curl -X DELETE http://127.0.0.1:8085/readers/r1/faults/half_open
curl -X POST -d '{"down_s": 0.5}' http://127.0.0.1:8085/readers/r1/actions/reboot
curl -X POST -d true http://127.0.0.1:8085/readers/r1/inputs/1
curl -X POST -d false http://127.0.0.1:8085/readers/r1/inputs/1
```
What there is, how it stands, and what goes on:
```sh
curl http://127.0.0.1:8085/faults
curl http://127.0.0.1:8085/state
```
"""


def faults_page():
    """Return the page: how to set faults, and the table of all of them."""
    lines = [MADE, "", INTRODUCTION, "## Switches", "", "| switch | values | default | what |", "|---|---|---|---|"]
    lines += [
        _row(f"`{one.name}`", _words(one.type), f"`{json.dumps(one.default)}`", one.description) for one in switches()
    ]
    lines += ["", "## Actions", "", "| action | arguments, with defaults | what |", "|---|---|---|"]
    for action in ACTIONS:
        arguments = ", ".join(
            f"`{one.name}` = {json.dumps(one.default)} ({_words(one.adapter.json_schema())}): {one.description}"
            for one in action.arguments
        )
        lines.append(_row(f"`{action.name}`", arguments, action.description))
    return "\n".join([*lines, ""])


def _words(schema):
    """A switch's JSON Schema in words."""
    if "anyOf" in schema:
        return " or ".join(_words(one) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    kind = schema["type"]
    if kind == "array":
        return f"list of {_words(schema['items'])}"
    if kind == "object":
        return f"table of {_words(schema['additionalProperties'])} by number"
    if kind == "string":
        return "hexadecimal digits" if "format" in schema else f"text of up to {schema['maxLength']:,} characters"
    bounds = [f"{schema[key]:,}" for key in ("minimum", "maximum") if key in schema]
    names = {"boolean": "true or false", "integer": "integer", "number": "number", "null": "none"}
    return names[kind] + (f" {' to '.join(bounds)}" if bounds else "")


def _row(*cells):
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
