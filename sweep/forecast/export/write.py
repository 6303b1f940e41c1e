"""The folder of an exported forecaster, written."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from sweep.config.errors import StoreError, SweepError, UsageError
from sweep.config.sections import ModelConfig
from sweep.forecast.ensemble import Ensemble
from sweep.forecast.export.card import CARD, README, Card, Columns, Step, StoredNetwork, card_from_document
from sweep.forecast.export.last_rows import NAME as LAST_ROWS
from sweep.forecast.export.onnx_model import CELL_GRAPHS, onnx_bytes, require_packages
from sweep.forecast.export.readme import readme
from sweep.forecast.measured import Measured
from sweep.model import CELLS, MODELS, Forecaster, Network
from sweep.store.files import read_json, write_atomic, write_json

SCRIPTS = Path(__file__).parent / "scripts"


@dataclass(frozen=True)
class Written:
    """An exported forecaster."""

    path: Path
    files: tuple[str, ...]
    refused: str  # why there are no scripts; empty: there are
    card: Card

    def document(self) -> dict[str, Any]:
        """Return what was written, for JSON."""
        return {
            "path": str(self.path),
            "files": list(self.files),
            "scripts_refused": self.refused or None,
            "card": self.card.document(),
        }


def write_export(
    place: Path,
    ensemble: Ensemble,
    model: ModelConfig,
    about: Mapping[str, Any],
    columns: Columns | None = None,
    step: Step | None = None,
    seeds: Sequence[int] = (),
    intervals: Measured | None = None,
    rows: bytes | None = None,
) -> Written:
    """Write the networks of an ensemble to a folder, with all that is needed to forecast without sweep.

    An earlier export there is replaced; other files in it stay.

    Args:
        place: the folder; it does not exist yet, is empty, or is an export.
        ensemble: the networks, all of this model.
        model: the section `[model]`.
        about: what the card says about their origin; JSON values.
        columns: of the tables to forecast; None: the default names.
        step: of the data; None: they have no dates.
        seeds: of the trainings, by network; empty: unknown.
        intervals: of the networks' forecasts; None: unknown.
        rows: the latest rows of the data, for last_rows.csv; None: there is no such file.

    Raises:
        UsageError: the folder is something else, or a package is missing.
        StoreError: it cannot be written.
    """
    require_packages()
    replaced = _replaced(place)
    refused = refusal(model)
    stored, files = [], {}
    for index, network in enumerate(ensemble.networks, start=1):
        weights, graph = f"network_{index}.safetensors", None if refused else f"model_{index}.onnx"
        files[weights] = weights_bytes(network)
        if graph and isinstance(network, Forecaster):
            files[graph] = onnx_bytes(network)
        digest = hashlib.sha256(files[weights]).hexdigest()
        seed = seeds[index - 1] if seeds else None
        stored.append(StoredNetwork(weights=weights, sha256=digest, onnx=graph, seed=seed))
    double = next(ensemble.networks[0].parameters()).dtype == torch.float64
    card = Card(
        ensemble.coding,
        model,
        "float64" if double else "float32",
        tuple(stored),
        columns or Columns(),
        step,
        _plugins(model),
        intervals,
        about,
    )
    if not refused:
        files |= {path.name: path.read_bytes() for path in sorted(SCRIPTS.glob("*.py"))}
        files |= {} if rows is None else {LAST_ROWS: rows}
    files[README] = readme(card, refused, has_rows=LAST_ROWS in files).encode()
    _write(place, files, card, replaced)
    return Written(place, (*files, CARD), refused, card)


def refusal(model: ModelConfig) -> str:
    """Return why there can be no scripts and no ONNX for a model; empty if there can."""
    if not model.recurrent:
        return f"no scripts and no ONNX: code of a plug-in computes the model {model.kind!r}"
    if model.cell not in CELL_GRAPHS:
        return f"no scripts and no ONNX: code of a plug-in computes the cell {model.cell!r}"
    return ""


def _plugins(model: ModelConfig) -> tuple[str, ...]:
    """Return the plug-ins that compute a model, with their origins: "cell mgu = mine.py sha256:..."."""
    entry, table = (f"cell {model.cell}", CELLS) if model.recurrent else (f"model {model.kind}", MODELS)
    origin = table.origin(entry.partition(" ")[2])
    return () if origin is None else (f"{entry} = {origin}",)


def weights_bytes(network: Network) -> bytes:
    """Return the weights of a network as a safetensors file."""
    from safetensors.torch import save  # here: the package is optional

    return bytes(
        save(
            {
                name: value.cpu().clone(memory_format=torch.contiguous_format)
                for name, value in network.state_dict().items()
            }
        )
    )


def _replaced(place: Path) -> tuple[str, ...] | None:
    """Return the names of the files of an export that is there, None if there is no folder or an empty one.

    Raises:
        UsageError: there is something else.
    """
    if place.is_symlink() or (place.exists() and not place.is_dir()):
        raise UsageError(f"{place} is not a folder: name another place for the export")
    if not place.exists() or not any(place.iterdir()):
        return None
    try:
        return card_from_document(read_json(place / CARD)).files
    except (SweepError, KeyError, TypeError, ValueError, AttributeError):
        raise UsageError(
            f"{place} exists and is not an export of sweep: name another folder, or remove this one"
        ) from None


def _write(place: Path, files: Mapping[str, bytes], card: Card, replaced: tuple[str, ...] | None) -> None:
    """Write all files. A new folder appears as a whole; in an old one, the card names each file's digest."""
    try:
        if replaced is None:
            place.parent.mkdir(parents=True, exist_ok=True)
            temporary = Path(tempfile.mkdtemp(dir=place.parent, prefix=f".{place.name}."))
            try:
                _fill(temporary, files, card)
                umask = os.umask(0)
                os.umask(umask)
                temporary.chmod(0o777 & ~umask)
                temporary.rename(place)  # over an empty folder, too
            except BaseException:
                shutil.rmtree(temporary, ignore_errors=True)
                raise
        else:
            old = {*replaced, *(path.name for path in SCRIPTS.glob("*.py")), LAST_ROWS}
            for name in old - set(files):
                (place / name).unlink(missing_ok=True)
            _fill(place, files, card)
    except OSError as error:
        raise StoreError(f"cannot write {place}: {error.strerror or error}") from error


def _fill(folder: Path, files: Mapping[str, bytes], card: Card) -> None:
    for name, content in files.items():
        write_atomic(folder / name, content)
    write_json(folder / CARD, card.document())
