from tests.support.cheap_runs import cheap_pages
from tests.support.driver_fixtures import driven, driven_once
from tests.support.study_fixtures import study

__all__ = ["cheap_pages", "driven", "driven_once", "study"]
