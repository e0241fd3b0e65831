using System.Buffers.Binary;
using System.IO.Hashing;

namespace KawaOrleans.Format;

/// <summary>Names one segment: an id, the generation of its content (0 as appended; scavenging writes higher ones), and the
/// epoch it was appended in.</summary>
public readonly record struct SegmentIdentity(Guid Id, int Generation, long Epoch)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Id:N}-{Generation}";

    /// <summary>What ties a checksum to this segment: frames of another segment, generation or epoch never validate here.</summary>
    internal uint ChecksumKey
    {
        get
        {
            Span<byte> bytes = stackalloc byte[28];
            Id.TryWriteBytes(bytes, bigEndian: true, out _);
            BinaryPrimitives.WriteInt32LittleEndian(bytes[16..], Generation);
            BinaryPrimitives.WriteInt64LittleEndian(bytes[20..], Epoch);
            return Checksum.Fold(XxHash3.HashToUInt64(bytes));
        }
    }
}
