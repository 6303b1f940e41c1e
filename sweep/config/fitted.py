"""How a network is trained on all data, without validation: what validation decided before, as fixed values."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from sweep.config.section import Section, Share


class Begin(Section):
    """Stored weights from which the training of one seed continues."""

    seed: int
    file: str  # checkpoint.pt, an absolute path
    digest: str  # SHA-256 of the file


class Fitted(Section):
    """The training of a network on all data: when it ends, its ridge, and the errors that its scheduler reads.

    With `begins` and `coding` it is an update: it continues from stored weights, with the scaling of their data.
    """

    stop: Share = 1.0  # share of the budget at which training ends; schedules span the whole budget
    ridge: Annotated[float, Field(gt=0)] | None = None  # of the readout refit at the end; None: no refit
    # Rollout errors of another network at the evaluation points, for schedulers that watch them. None: no change there.
    errors: Annotated[tuple[float | None, ...], Field(strict=False)] = ()
    fingerprint: str = ""  # of the data; empty: not checked
    begins: Annotated[tuple[Begin, ...], Field(strict=False)] = ()
    coding: dict[str, Any] | None = None  # `sweep.data.coding.Coding.document`; None: that of the data

    only_if_set: ClassVar[tuple[str, ...]] = ("begins", "coding")

    def errors_at(self, point: int) -> list[float]:
        """Return the rollout errors that the scheduler reads while it trains towards an evaluation point.

        An update reads all of them from its start: it continues at the rate where the schedule had ended.
        """
        seen = self.errors if self.begins else self.errors[:point]
        return [error for error in seen if error is not None]

    def begin_of(self, seed: int) -> Begin | None:
        """Return the stored weights from which the training of a seed continues; None: from an initialisation.

        Raises:
            ValueError: the training continues from stored weights, but none is of this seed.
        """
        if not self.begins:
            return None
        for begin in self.begins:
            if begin.seed == seed:
                return begin
        raise ValueError(f"no stored weights of seed {seed}")

    @property
    def identity(self) -> dict[str, Any]:
        """Return the values without the places of files: the content counts."""
        document = self.model_dump(mode="json")
        for begin in document.get("begins", ()):
            del begin["file"]
        return document
