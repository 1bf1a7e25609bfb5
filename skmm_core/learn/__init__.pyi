from .toy_pools import (
    Cluster as Cluster,
    Toy as Toy,
    cluster_counts as cluster_counts,
    exact_fit as exact_fit,
    hand_picked as hand_picked,
    make_toy as make_toy,
    simulate_slopes as simulate_slopes,
    sketched_rows as sketched_rows,
    squared_distances as squared_distances,
)
