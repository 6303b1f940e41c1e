from tests.support.cheap_runs import cheap_pages
from tests.support.study_fixtures import empty, one, study, writer

__all__ = ["cheap_pages", "empty", "one", "study", "writer"]
