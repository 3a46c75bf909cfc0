"""The small drive of the tests, through the gallery of all of them."""

from vloc.datasets import synthetic_drive
from vloc.datasets.synthetic_gallery import GalleryConfig

GALLERY = GalleryConfig(num_images=21, num_queries=4, image_size=(480, 360))
DRIVE = synthetic_drive.DriveConfig(num_instants=5, blind=0.4, dark_instants=0.2)
