"""Why selections are good or not: the charts, the table of numbers, and the runs behind them."""
