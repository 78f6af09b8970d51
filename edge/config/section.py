"""What every table of the configuration is: frozen, strict about types, without unknown keys."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """One table."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
