from tests.support.study_fixtures import empty, one, study, writer

__all__ = ["empty", "one", "study", "writer"]
