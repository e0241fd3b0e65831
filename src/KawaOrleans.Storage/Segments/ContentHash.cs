using System.Numerics;
using KawaOrleans.Format;

namespace KawaOrleans.Storage.Segments;

/// <summary>The running hash over a segment's event and gap frames: a fold of their checksums, each of which covers its frame.
/// Equal on all replicas of a segment, cheap enough to keep while appending.</summary>
internal static class ContentHash
{
    public const ulong Empty = 0;

    public static ulong Add(ulong hash, uint frameChecksum) =>
        unchecked(BitOperations.RotateLeft(hash ^ frameChecksum, 27) * 0x9E3779B185EBCA87UL);

    public static ulong Add(ulong hash, in Frame frame) =>
        frame.Kind is FrameKind.Event or FrameKind.Gap ? Add(hash, frame.StoredChecksum) : hash;
}
