"""Pages of HTML from our templates: self-contained, with our own script and style, everything else escaped."""

import base64
import hashlib
from typing import Any

import jinja2
from markupsafe import Markup


def rendered(template: str, **values: Any) -> str:
    """Return a page.

    Args:
        template: name of a file of templates/.
        values: that it names; besides them it has `style`, `script` and the script's hash.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("sweep.report.page"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    source = environment.loader
    assert source is not None
    script = source.get_source(environment, "report.js")[0]
    style = source.get_source(environment, "report.css")[0]
    return environment.get_template(template).render(
        script=Markup(script),  # our own files
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        style=Markup(style),
        **values,
    )


def data_uri(content: bytes) -> str:
    """Return a PNG as a URI that needs no request."""
    return "data:image/png;base64," + base64.b64encode(content).decode()
