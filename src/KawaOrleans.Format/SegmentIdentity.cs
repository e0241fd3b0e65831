using System.Buffers.Binary;
using System.IO.Hashing;

namespace KawaOrleans.Format;

/// <summary>Names one segment: an id, the generation of its content (0 as appended; scavenging writes higher ones), and the
/// epoch it was appended in.</summary>
public readonly record struct SegmentIdentity
{
    /// <summary>Names a segment.</summary>
    public SegmentIdentity(Guid id, int generation, long epoch)
    {
        Id = id;
        Generation = generation;
        Epoch = epoch;
        ChecksumKey = KeyOf(id, generation, epoch);
    }

    /// <summary>The segment's id.</summary>
    public Guid Id { get; }

    /// <summary>The generation of its content.</summary>
    public int Generation { get; }

    /// <summary>The fencing number it was appended under.</summary>
    public long Epoch { get; }

    /// <summary>What ties a checksum to this segment: frames of another segment, generation or epoch never validate here. Kept,
    /// because every frame read asks for it; the fields it is made from cannot be changed.</summary>
    internal uint ChecksumKey { get; }

    /// <inheritdoc/>
    public override string ToString() => $"{Id:N}-{Generation}";

    private static uint KeyOf(Guid id, int generation, long epoch)
    {
        Span<byte> bytes = stackalloc byte[28];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[16..], generation);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[20..], epoch);
        return Checksum.Fold(XxHash3.HashToUInt64(bytes));
    }
}
