"""Wrong recordings: `--wav`."""

from __future__ import annotations

import struct

from tests.robustness.case import Case, binary, folder

CALL = "--model kws --wav word.wav"
PCM, A_LAW = 1, 6
SILENCE = bytes(2000)


def wav(
    data: bytes = SILENCE, *, codec: int = PCM, channels: int = 1, rate_hz: int = 16_000,
    bits: int = 16,
) -> bytes:  # fmt: skip
    """A WAV file."""
    frame = channels * bits // 8
    fmt = struct.pack("<HHIIHH", codec, channels, rate_hz, rate_hz * frame, frame, bits)
    body = b"WAVE" + b"fmt " + struct.pack("<I", len(fmt)) + fmt
    body += b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


CASES = (
    Case("missing recording", CALL,
         "audio file word.wav does not exist.\n"
         "  Give a .wav file; models/samples/wav/ holds a few."),
    Case("recording is a folder", CALL,
         "audio file word.wav is a folder.\n"
         "  Give a .wav file; models/samples/wav/ holds a few.", folder("word.wav")),
    Case("recording is empty", CALL,
         "audio file word.wav: it is empty (0 bytes).\n"
         "  Record or copy the file again.", binary("word.wav", b"")),
    Case("recording is an MP3", CALL,
         "audio file word.wav: it is not a RIFF/WAVE file (it begins like MP3).\n"
         "  Convert it: ffmpeg -i word.wav -ar 16000 -ac 1 -c:a pcm_s16le word-16k.wav",
         binary("word.wav", b"ID3\x04" + bytes(100))),
    Case("recording is text", CALL,
         "audio file word.wav: it is not a RIFF/WAVE file (it begins with b'yes,').\n"
         "  Convert it: ffmpeg -i word.wav -ar 16000 -ac 1 -c:a pcm_s16le word-16k.wav",
         binary("word.wav", b"yes, no, up, down")),
    Case("recording cut off", CALL,
         "audio file word.wav: truncated: its data chunk has 956 of 2000 bytes.\n"
         "  Record or copy the file again.", binary("word.wav", wav()[:1000])),
    Case("recording cut off in its header", CALL,
         "audio file word.wav: truncated: its 'fmt ' chunk has 10 of 16 bytes.\n"
         "  Record or copy the file again.", binary("word.wav", wav()[:30])),
    Case("recording without sound", CALL,
         "audio file word.wav: it holds 0 samples, expected at least one.\n"
         "  Record or copy the file again.", binary("word.wav", wav(b""))),
    Case("recording in A-law", CALL,
         "audio file word.wav: its codec is 0x0006, A-law; only PCM and IEEE float are "
         "read.\n"
         "  Convert it: ffmpeg -i word.wav -ar 16000 -ac 1 -c:a pcm_s16le word-16k.wav",
         binary("word.wav", wav(codec=A_LAW, bits=8))),
    Case("recording of nine channels", CALL,
         "audio file word.wav: it has 9 channels, expected 1..8.\n"
         "  Convert it: ffmpeg -i word.wav -ar 16000 -ac 1 -c:a pcm_s16le word-16k.wav",
         binary("word.wav", wav(channels=9))),
    Case("recording at 1 kHz", CALL,
         "audio file word.wav: it has a rate of 1000 Hz, expected 8000..192000.\n"
         "  Convert it: ffmpeg -i word.wav -ar 16000 -ac 1 -c:a pcm_s16le word-16k.wav",
         binary("word.wav", wav(rate_hz=1000))),
    Case("recording of six minutes", CALL,
         "audio file word.wav: it lasts 360 s, at most 300 are read.\n"
         "  Convert it: ffmpeg -i word.wav -t 10 -ar 16000 -ac 1 -c:a pcm_s16le word-16k.wav",
         binary("word.wav", wav(bytes(360 * 8000), rate_hz=8000, bits=8))),
    Case("recording for all models", f"{CALL} --model all",
         "--wav looks into one model; name it with --model.", binary("word.wav", wav())),
    Case("recording without its stage", f"{CALL} --to emit",
         "--wav needs the stage simulate, but --to emit stops before it.\n"
         "  Leave --to out, or choose one of: simulate, synth, route, report.",
         binary("word.wav", wav())),
)  # fmt: skip
