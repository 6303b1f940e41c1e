from tests.support.driver_fixtures import in_random_order

__all__ = ["in_random_order"]
