"""The agent at the door: reads become movements, stored until the central has them."""
