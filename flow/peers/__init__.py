"""Head to head with stock hls4ml: the same QKeras models through both, every output counted.

python -m flow.peers        (or: make compare-hls4ml)

small, kws    the models, of stock QKeras quantizers
twin          any network of this repository, rebuilt from them
problem       one model, its inputs, and the outputs that are right
hand_set      the precisions that a knowledgeable user of hls4ml would set
flows         a model through stock hls4ml, in three ways, and through the back end Shift
judge         outputs against the right ones
row           one model through one flow, measured
worker        the process in which a problem or a row is made
rows          all of them as resumable stages
table, publish     what is made of the rows
"""
