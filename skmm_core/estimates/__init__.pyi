from .labelled import class_counts as class_counts, labelled_rows as labelled_rows
from .learning_curve import enough_for as enough_for
from .sentences import said_of as said_of
from .worth import Estimate as Estimate, estimate as estimate
