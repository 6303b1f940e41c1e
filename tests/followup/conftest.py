from tests.support.cheap_runs import cheap_runs
from tests.support.driver_fixtures import in_random_order

__all__ = ["cheap_runs", "in_random_order"]
