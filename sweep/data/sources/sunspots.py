"""Monthly sunspot numbers 1749-2009, the only shipped source that was observed and not computed."""

from dataclasses import replace
from importlib import resources

from sweep.config.data_section import DataConfig
from sweep.data.readers import read_file
from sweep.data.recording import Need, Recording
from sweep.data.sources.source import Options, SourceSpec


def _generate(options: Options, need: Need) -> Recording:
    with resources.as_file(resources.files("sweep.data") / "files" / "sunspots.csv") as path:
        return replace(read_file(str(path), None, DataConfig(path=str(path))), name="sunspots", facts=())


SUNSPOTS = SourceSpec(
    name="sunspots",
    defaults={},
    generate=_generate,
    source="NOAA National Geophysical Data Center, monthly mean sunspot numbers, 1749-01 to 2009-06; "
    "public domain, as shipped by statsmodels (sweep/data/files/README.md)",
    makes_parts=False,
)
