using System.Buffers.Binary;

namespace KawaOrleans.Storage.Streams;

/// <summary>One stream's head in a run: hash (4), length of the name (2), revision, position, timestamp (8 each), the name.</summary>
internal readonly ref struct HeadEntry(uint hash, ReadOnlySpan<byte> name, StreamHead head)
{
    private const int FixedBytes = 30;

    public uint Hash { get; } = hash;

    public ReadOnlySpan<byte> Name { get; } = name;

    public StreamHead Head { get; } = head;

    public int Bytes => FixedBytes + Name.Length;

    /// <summary>Reads the entry that begins here; false when none does.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out HeadEntry entry)
    {
        entry = default;
        if (bytes.Length < FixedBytes || BinaryPrimitives.ReadUInt16LittleEndian(bytes[4..]) is var length && (length == 0 || length > bytes.Length - FixedBytes))
        {
            return false;
        }

        var head = new StreamHead(
            BinaryPrimitives.ReadInt64LittleEndian(bytes[6..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[14..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[22..]));
        entry = new HeadEntry(BinaryPrimitives.ReadUInt32LittleEndian(bytes), bytes.Slice(FixedBytes, length), head);
        return true;
    }

    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(target, Hash);
        BinaryPrimitives.WriteUInt16LittleEndian(target[4..], (ushort)Name.Length);
        BinaryPrimitives.WriteInt64LittleEndian(target[6..], Head.Revision);
        BinaryPrimitives.WriteInt64LittleEndian(target[14..], Head.Position);
        BinaryPrimitives.WriteInt64LittleEndian(target[22..], Head.Timestamp);
        Name.CopyTo(target[FixedBytes..]);
    }

    /// <summary>The order of a run: by hash, then by name.</summary>
    public int CompareTo(HeadEntry other) => Hash != other.Hash ? Hash.CompareTo(other.Hash) : Name.SequenceCompareTo(other.Name);
}
