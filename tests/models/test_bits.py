"""Bit-widths: the yaml's totals and the errors of unknown names."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from flow.errors import ConfigError
from models.bits import MPQ_FOLDER, WeightBits, network_bits


@pytest.mark.parametrize("network", sorted(path.stem for path in MPQ_FOLDER.glob("*.yaml")))
def test_totals_equal_the_source(network: str) -> None:
    bits = network_bits(network)
    reference = bits.as_reference()
    assert bits.verification == {
        "a_bits": bits.a_bits,
        "p_bits": bits.p_bits,
        "a_reference": reference.a_bits,
        "p_reference": reference.p_bits,
    }


def test_printed_figures_follow_from_the_totals() -> None:
    """`stats` is what the source prints: sums, changes, and the score's factor of AutoQKeras."""
    printed = []
    for path in sorted(MPQ_FOLDER.glob("*.yaml")):
        stats = yaml.safe_load(path.read_text(encoding="utf-8")).get("stats")
        if stats is None:
            continue
        bits = network_bits(path.stem)
        totals = {"a_bits": (bits.a_bits, bits.as_reference().a_bits),
                  "p_bits": (bits.p_bits, bits.as_reference().p_bits)}  # fmt: skip
        totals["total"] = tuple(map(sum, zip(*totals.values(), strict=True)))
        for key, (trial, reference) in totals.items():
            assert (stats[key]["trial"], stats[key]["reference"]) == (trial, reference)
            change = 100 * (trial / reference - 1)
            assert stats[key]["change_percent"] == pytest.approx(change, abs=0.00501)
        trial, reference = totals["total"]
        factor = 5 * np.log2(reference / trial)  # percent: delta 5, rate 2
        assert stats["delta_percent"] == pytest.approx(factor, abs=0.00501)
        printed.append(path.stem)
    assert printed == ["ad", "kws", "vww_effnet", "vww_mbv2"]


def test_the_softmax_layer_counts_where_the_source_counts_it() -> None:
    assert network_bits("vww_mbv2").host_bits == 8 * 96 * 96 * 3 + 2 * 8
    assert network_bits("vww").host_bits == 8 * 96 * 96 * 3


def test_unreadable_entries_are_named() -> None:
    table = yaml.safe_load((MPQ_FOLDER / "vww_effnet.yaml").read_text(encoding="utf-8"))
    activations = network_bits("vww_effnet").activations
    assert len(table["unresolved"]) == 28
    found = sum(activations[name].elements * activations[name].bits for name in table["unresolved"])
    assert found == 2_216_464


def test_kws_totals_are_those_of_the_thesis() -> None:
    bits = network_bits("kws")
    assert (bits.p_bits, bits.a_bits) == (145_844, 428_976)
    assert len(bits.activations) == 12
    assert len(bits.matrices) == 10


@pytest.mark.parametrize(("quant", "width"), [("flat4", 4), ("flat8", 8), ("flat16", 16)])
def test_flat_uses_one_width_and_wide_biases(quant: str, width: int) -> None:
    bits = network_bits("kws", quant)
    assert {item.bits for item in bits.activations.values()} == {width}
    assert {(m.weight_bits, m.bias_bits) for m in bits.matrices.values()} == {(width, 31)}


def test_unknown_names_list_the_choices() -> None:
    with pytest.raises(ConfigError, match=r"'kwx'(.|\n)*Choose one of: .*kws"):
        network_bits("kwx")
    with pytest.raises(ConfigError, match=r"'flat5'(.|\n)*mpq, flat4, flat8, flat16"):
        network_bits("kws", "flat5")


@pytest.mark.parametrize("text", ["network: kws", "[1, 2", "just text"])
def test_malformed_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "kws.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"kws\.yaml are malformed"):
        network_bits("kws", folder=tmp_path)


def test_widths_must_be_integers(tmp_path: Path) -> None:
    text = (MPQ_FOLDER / "kws.yaml").read_text(encoding="utf-8")
    (tmp_path / "kws.yaml").write_text(
        text.replace("weight_bits: 8", "weight_bits: eight"), encoding="utf-8"
    )
    with pytest.raises(ConfigError, match="weight_bits of layer 'depthwise_conv2d' is 'eight'"):
        network_bits("kws", folder=tmp_path)


def test_counts_are_those_of_the_layers() -> None:
    dense = network_bits("kws").matrices["dense"]
    assert dense == WeightBits("dense", "dense", 8, 31, weights=64 * 12, biases=12)
