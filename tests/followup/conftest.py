from tests.support.cheap_runs import cheap_runs
from tests.support.driver_fixtures import driven, driven_once, in_random_order

__all__ = ["cheap_runs", "driven", "driven_once", "in_random_order"]
