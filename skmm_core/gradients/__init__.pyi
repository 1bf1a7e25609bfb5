from .dynamics import Dynamics as Dynamics, training_dynamics as training_dynamics
from .head import HeadGradients as HeadGradients, head_gradients as head_gradients
from .warmup import (
    WarmUp as WarmUp,
    train_on_known as train_on_known,
    train_warm_up as train_warm_up,
    warm_up_size as warm_up_size,
)
