"""What global descriptors are made of: photos, local features, arrays, what was heard there, or where that was."""

from __future__ import annotations

from collections.abc import Sequence

from .errors import ConfigError, DataError
from .features import FEATURES
from .features.base import LocalFeature
from .features.matched import Matched
from .matching.base import AnyMatcher
from .retrieval.aggregated import Aggregated
from .retrieval.base import GlobalFeature, PhotoDescriptor
from .retrieval.gnss import Gnss
from .retrieval.imported import ImportedDescriptor
from .retrieval.radio import Radio
from .run.inputs import Entries
from .run.workspace import Workspace
from .stages.extract import EXTRACT
from .stages.images import ImageItems, Photos
from .stages.imported import ImportedWhole, local_items, whole_items
from .stages.places import PlaceItems, place_items
from .stages.radio import ScanItems, scan_items


def described_by(
    work: Workspace, photos: Photos, names: Sequence[str], descriptor: GlobalFeature, own: LocalFeature
) -> ImageItems | Entries | ImportedWhole | ScanItems | PlaceItems:
    """What a descriptor takes for some images; `own` is the local feature that the map is made of."""
    if isinstance(descriptor, ImportedDescriptor):
        return whole_items(photos, names, descriptor)
    if isinstance(descriptor, Radio):
        return scan_items(photos, names, descriptor.kind)
    if isinstance(descriptor, Gnss):
        return place_items(photos, names)
    if isinstance(descriptor, PhotoDescriptor):
        return photos.upright(names, in_color=descriptor.in_color, min_size=descriptor.image_size)
    feature = feature_under(descriptor, own)
    found = work.each(EXTRACT, local_items(photos, names, feature), feature)
    return Entries([name for name in names if name in found], found)


def check_recorded(photos: Photos, names: Sequence[str], descriptors: Sequence[GlobalFeature], *, of_map: bool) -> None:
    """DataError, before any work, where a capture lacks the records that descriptors are made of.

    A map has to have some positions; queries without any are told by the other descriptors.
    """
    for descriptor in descriptors:
        if isinstance(descriptor, Radio):
            scan_items(photos, names, descriptor.kind)
        positions = place_items(photos, names) if isinstance(descriptor, Gnss) and of_map and names else None
        if positions is not None and not any(place.is_known for place in positions):
            raise DataError(
                f"{names[0]}, nor any other image, has a position by satellite (EXIF, sensors/records_gnss.txt): leave "
                "out --retrieval gnss"
            )


def plugins_of(features: LocalFeature, descriptors: Sequence[GlobalFeature], matcher: AnyMatcher) -> list[object]:
    """All plugins that images are taken through, also those that descriptors are made of."""
    under = [feature_under(d, features) for d in descriptors if isinstance(d, Aggregated)]
    return [features, *descriptors, *under, matcher]


def feature_under(descriptor: GlobalFeature, own: LocalFeature) -> LocalFeature:
    """The local feature that a descriptor is made of; ConfigError for one that is made of none."""
    if not isinstance(descriptor, Aggregated):
        raise ConfigError(f"global descriptor '{descriptor.plugin_name}': takes neither photos nor local features")
    feature = FEATURES.parse(descriptor.of) if descriptor.of else own
    if isinstance(feature, Matched):
        name = descriptor.plugin_name
        raise ConfigError(
            f"global descriptor '{name}' is made of descriptors, which features 'matched' do not have: say of which "
            f"({name}:of=sift), or choose another"
        )
    return feature
