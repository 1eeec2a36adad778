"""What the applications of both ports have in common."""

from typing import Final

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig

from connector.http.problems import on_failure, on_method, on_nothing, on_problem
from policies.problem import Problem

# Addresses name agreements and datasets: nothing about requests is told to a library that another
# one may have configured. What an operator measures stands at /metrics.
_SILENT: Final[TelemetryConfig] = {"tracing": False, "metrics": False, "logs": False}


def application(title: str) -> FastAPI:
    """An application without pages of its own, in which every failure is a problem document."""
    made = FastAPI(title=title, docs_url=None, redoc_url=None, openapi_url=None, telemetry=_SILENT)
    made.add_exception_handler(Problem, on_problem)
    made.add_exception_handler(Exception, on_failure)
    made.add_exception_handler(404, on_nothing)
    made.add_exception_handler(405, on_method)
    return made
