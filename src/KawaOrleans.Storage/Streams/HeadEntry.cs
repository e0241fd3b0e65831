using System.Buffers.Binary;

namespace KawaOrleans.Storage.Streams;

/// <summary>One stream's head in a run: hash (4), length of the name with the state in the two bits above 13 (2), revision, position,
/// timestamp (8 each), the name.</summary>
internal readonly ref struct HeadEntry(uint hash, ReadOnlySpan<byte> name, StreamHead head)
{
    private const int FixedBytes = 30;
    private const int StateShift = 14;
    private const int LengthMask = (1 << StateShift) - 1;

    public uint Hash { get; } = hash;

    public ReadOnlySpan<byte> Name { get; } = name;

    public StreamHead Head { get; } = head;

    public int Bytes => FixedBytes + Name.Length;

    /// <summary>Reads the entry that begins here; false when none does.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out HeadEntry entry)
    {
        entry = default;
        if (bytes.Length < FixedBytes)
        {
            return false;
        }

        var word = BinaryPrimitives.ReadUInt16LittleEndian(bytes[4..]);
        var length = word & LengthMask;
        if (length == 0 || length > bytes.Length - FixedBytes)
        {
            return false;
        }

        var head = new StreamHead(
            BinaryPrimitives.ReadInt64LittleEndian(bytes[6..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[14..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[22..]),
            (StreamState)(word >> StateShift));
        entry = new HeadEntry(BinaryPrimitives.ReadUInt32LittleEndian(bytes), bytes.Slice(FixedBytes, length), head);
        return true;
    }

    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(target, Hash);
        BinaryPrimitives.WriteUInt16LittleEndian(target[4..], (ushort)(Name.Length | ((int)Head.State << StateShift)));
        BinaryPrimitives.WriteInt64LittleEndian(target[6..], Head.Revision);
        BinaryPrimitives.WriteInt64LittleEndian(target[14..], Head.Position);
        BinaryPrimitives.WriteInt64LittleEndian(target[22..], Head.Timestamp);
        Name.CopyTo(target[FixedBytes..]);
    }

    /// <summary>The order of a run: by hash, then by name.</summary>
    public int CompareTo(HeadEntry other) => Hash != other.Hash ? Hash.CompareTo(other.Hash) : Name.SequenceCompareTo(other.Name);
}
