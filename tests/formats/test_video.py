"""Videos that OpenCV wrote: a striped picture that moves by a known number of pixels a frame."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from vloc.cli.main import main
from vloc.errors import ConfigError, DataError
from vloc.formats.access import read
from vloc.formats.images import decode

STEP, FPS = 3, 20


def picture(index: int) -> np.ndarray:
    """A random texture that has moved `STEP` px to the left with every frame; the first rows hold the number."""
    import cv2

    rng = np.random.default_rng(0)
    texture = cv2.GaussianBlur(rng.integers(0, 255, (120, 400), np.uint8), (0, 0), 2)
    texture = cv2.normalize(texture, None, 0, 255, cv2.NORM_MINMAX)
    return np.repeat(texture[:, index * STEP : index * STEP + 160, None], 3, axis=2)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 frames in Motion JPEG, which keeps each frame by itself."""
    import cv2

    path = tmp_path_factory.mktemp("video") / "walk.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), FPS, (160, 120))
    for index in range(24):
        writer.write(picture(index))
    writer.release()
    return path


def test_every_nth_frame_is_an_image_with_its_time(video: Path) -> None:
    capture = read(video, every=10)
    assert list(capture.images.names) == ["000000.jpg", "000010.jpg", "000020.jpg"]
    assert capture.images.timestamps.tolist() == [0, 500_000_000, 1_000_000_000]
    assert (capture.camera("000000.jpg").width, capture.camera("000000.jpg").height) == (160, 120)
    assert capture.sensor("000000.jpg").has_guessed_focal
    assert any("guessed focal length" in note for note in capture.notes)


def test_each_image_is_the_frame_of_its_number_in_whatever_order(video: Path) -> None:
    capture = read(video, every=5)
    for number in (20, 0, 5, 15, 10):
        pixels = decode(capture.files.read(f"{number:06d}.jpg"), "x", color=False)
        assert np.abs(pixels.astype(int) - picture(number)[..., 0]).mean() < 3


def test_frames_travel_to_another_process_as_their_numbers(video: Path) -> None:
    files = read(video, every=5).files
    first = files.read("000005.jpg")
    data = pickle.dumps(files)
    assert len(data) < 1000 and pickle.loads(data).read("000005.jpg") == first


def test_frames_are_kept_by_the_pixels_that_the_picture_moved(video: Path) -> None:
    # 3 px a frame: 12 px are 4 frames.
    capture = read(video, every=1, parallax=11.5)
    numbers = [int(name[:6]) for name in capture.images.names]
    assert numbers == [0, 4, 8, 12, 16, 20]


def test_reading_twice_gives_the_same_bytes(video: Path) -> None:
    first, second = read(video, every=7), read(video, every=7)
    assert [first.files.read(n) for n in first.images.names] == [second.files.read(n) for n in second.images.names]
    assert first.files.stamp("000007.jpg") == second.files.stamp("000007.jpg")
    assert first.files.stamp("000001.jpg") == "missing"


def test_convert_writes_the_frames_into_the_capture(video: Path, tmp_path: Path) -> None:
    out = tmp_path / "capture"
    assert (
        main(["convert", f"video:{video}", f"kapture:{out}", "--every", "8", "--camera", "PINHOLE,150,150,80,60"]) == 0
    )
    capture = read(out)
    assert list(capture.images.names) == ["000000.jpg", "000008.jpg", "000016.jpg"]
    assert capture.camera("000008.jpg").params == (150, 150, 80, 60)
    assert decode(capture.files.read("000016.jpg"), "x", color=True).shape == (120, 160, 3)


def test_a_video_that_breaks_off_is_read_as_far_as_it_goes_with_a_remark(video: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.avi"
    cut.write_bytes(video.read_bytes()[: video.stat().st_size // 2])
    capture = read(cut, every=1)
    assert 0 < len(capture.images) < 24
    assert any("frames that the header promises cannot be decoded" in line for line in capture.left_out)


def test_what_is_no_video_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "list.mp4").write_text("#EXTM3U\n/etc/passwd\n")
    with pytest.raises(DataError, match=r"list\.mp4: not a video of a known kind"):
        read(f"video:{tmp_path / 'list.mp4'}")
    (tmp_path / "broken.avi").write_bytes(b"RIFF\0\0\0\0AVI " + bytes(100))
    with pytest.raises(DataError, match=r"broken\.avi"):
        read(tmp_path / "broken.avi")


def test_settings_out_of_range_are_refused(video: Path) -> None:
    with pytest.raises(ConfigError, match="every: expected 1 or more"):
        read(video, every=0)
    with pytest.raises(ConfigError, match="parallax: expected 0 px or more"):
        read(video, parallax=-1.0)
