"""The float reference models of MLPerf-Tiny (mlcommons/tiny), from which training starts."""

from pathlib import Path

import tensorflow as tf

from flow.errors import DataError
from models.data import DataMissing

FOLDER = Path("../shared/float_models")
FILES = {  # none is published for vww_mbv2 and vww_effnet
    "ad": "ad01.h5",
    "ic": "pretrainedResnet.h5",
    "kws": "kws_ref_model.h5",
    "vww": "vww_96.h5",
}


def load_float(path: Path) -> tf.keras.Model:
    """Load a float reference model.

    Raises:
        DataError: it is missing or is not a Keras model.
    """
    if not path.is_file():
        raise DataMissing(
            f"float model {path} does not exist.\n  Pass its folder with --float-models DIR."
        )
    try:
        return tf.keras.models.load_model(path, compile=False)
    except (OSError, ValueError) as error:
        raise DataError(
            f"float model {path} is not a Keras model ({error}).\n  Fetch the file again."
        ) from error
