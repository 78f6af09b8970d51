"""The part of the central's stand-in that tells of other books."""


def books_of(central, app, ago):
    """Give the app the routes of `central.books`; `ago` writes an instant in the past."""

    @app.get("/api/v1/reconciliation")
    def reconciliation():
        return {"as_of": ago(0), "books": central.books}

    @app.get("/api/v1/reconciliation/figures")
    def figures():
        late = {"far": "yellow", "far_critical": 0, "far_high": 2, "far_other": 1}
        done = {"discovery": "green", "discovery_due": 10, "discovery_closed": 9, "discovery_ratio": 0.9}
        return {"as_of": ago(0)} | late | done
