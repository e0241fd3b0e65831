using System.Buffers.Binary;
using KawaOrleans.Format;

namespace KawaOrleans.Storage.Segments;

/// <summary>The first opening of a segment, synced before its first frame.</summary>
/// <param name="OpeningId">Names the writer's tenure.</param>
/// <param name="Ticks">When.</param>
/// <param name="Durability">What the segment's acknowledgements survive.</param>
/// <param name="BootId">The operating system's run in which it was opened: what only the page cache holds is lost with it.</param>
internal readonly record struct OpenedSector(Guid OpeningId, long Ticks, Durability Durability, Guid BootId)
{
    private const ulong Magic = 0x4E50_4F2E_4157_414B; // "KAWA.OPN"

    public byte[] Encode(uint segmentKey)
    {
        var sector = new byte[FileLayout.SectorBytes];
        OpeningId.TryWriteBytes(sector.AsSpan(16), bigEndian: true, out _);
        BinaryPrimitives.WriteInt64LittleEndian(sector.AsSpan(32), Ticks);
        sector[40] = (byte)Durability;
        BootId.TryWriteBytes(sector.AsSpan(48), bigEndian: true, out _);
        Sector.Finish(sector, Magic, segmentKey);
        return sector;
    }

    public static SectorStatus Decode(ReadOnlySpan<byte> sector, uint segmentKey, out OpenedSector opened)
    {
        var status = Sector.Check(sector, Magic, segmentKey);
        opened = status == SectorStatus.Whole
            ? new OpenedSector(
                new Guid(sector.Slice(16, 16), bigEndian: true),
                BinaryPrimitives.ReadInt64LittleEndian(sector[32..]),
                (Durability)sector[40],
                new Guid(sector.Slice(48, 16), bigEndian: true))
            : default;
        return status;
    }
}

/// <summary>A replica that refuses its writer for ever, and how far it got.</summary>
internal readonly record struct FencedSector(Tail Tail, Guid OpeningId, long SavedChainVersion)
{
    private const ulong Magic = 0x434E_462E_4157_414B; // "KAWA.FNC"

    public byte[] Encode(uint segmentKey)
    {
        var sector = new byte[FileLayout.SectorBytes];
        var s = sector.AsSpan();
        BinaryPrimitives.WriteInt64LittleEndian(s[16..], Tail.Position);
        BinaryPrimitives.WriteInt64LittleEndian(s[24..], Tail.Offset);
        OpeningId.TryWriteBytes(s[32..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt64LittleEndian(s[48..], SavedChainVersion);
        BinaryPrimitives.WriteInt64LittleEndian(s[56..], Tail.LastTimestamp);
        Sector.Finish(s, Magic, segmentKey);
        return sector;
    }

    public static SectorStatus Decode(ReadOnlySpan<byte> sector, uint segmentKey, out FencedSector fenced)
    {
        var status = Sector.Check(sector, Magic, segmentKey);
        fenced = status == SectorStatus.Whole
            ? new FencedSector(
                new Tail(
                    BinaryPrimitives.ReadInt64LittleEndian(sector[16..]),
                    BinaryPrimitives.ReadInt64LittleEndian(sector[24..]),
                    BinaryPrimitives.ReadInt64LittleEndian(sector[56..])),
                new Guid(sector.Slice(32, 16), bigEndian: true),
                BinaryPrimitives.ReadInt64LittleEndian(sector[48..]))
            : default;
        return status;
    }
}

/// <summary>Where a segment has ended.</summary>
internal readonly record struct SealedSector(Tail End, ulong ContentHash)
{
    private const ulong Magic = 0x444E_452E_4157_414B; // "KAWA.END"

    public byte[] Encode(uint segmentKey)
    {
        var sector = new byte[FileLayout.SectorBytes];
        var s = sector.AsSpan();
        BinaryPrimitives.WriteInt64LittleEndian(s[16..], End.Position);
        BinaryPrimitives.WriteInt64LittleEndian(s[24..], End.Offset);
        BinaryPrimitives.WriteUInt64LittleEndian(s[32..], ContentHash);
        BinaryPrimitives.WriteInt64LittleEndian(s[40..], End.LastTimestamp);
        Sector.Finish(s, Magic, segmentKey);
        return sector;
    }

    public static SectorStatus Decode(ReadOnlySpan<byte> sector, uint segmentKey, out SealedSector end)
    {
        var status = Sector.Check(sector, Magic, segmentKey);
        end = status == SectorStatus.Whole
            ? new SealedSector(
                new Tail(
                    BinaryPrimitives.ReadInt64LittleEndian(sector[16..]),
                    BinaryPrimitives.ReadInt64LittleEndian(sector[24..]),
                    BinaryPrimitives.ReadInt64LittleEndian(sector[40..])),
                BinaryPrimitives.ReadUInt64LittleEndian(sector[32..]))
            : default;
        return status;
    }
}

/// <summary>Where a synced checkpoint lies; may be lost without harm.</summary>
internal readonly record struct CheckpointHint(long Sequence, long Offset)
{
    private const ulong Magic = 0x544E_482E_4157_414B; // "KAWA.HNT"

    public byte[] Encode(uint segmentKey)
    {
        var sector = new byte[FileLayout.SectorBytes];
        Write(sector, segmentKey);
        return sector;
    }

    /// <summary>The same into a sector that holds nothing, or another hint.</summary>
    public void Write(Span<byte> sector, uint segmentKey)
    {
        BinaryPrimitives.WriteInt64LittleEndian(sector[16..], Sequence);
        BinaryPrimitives.WriteInt64LittleEndian(sector[24..], Offset);
        Sector.Finish(sector, Magic, segmentKey);
    }

    public static bool TryDecode(ReadOnlySpan<byte> sector, uint segmentKey, out CheckpointHint hint)
    {
        var whole = Sector.Check(sector, Magic, segmentKey) == SectorStatus.Whole;
        hint = whole
            ? new CheckpointHint(BinaryPrimitives.ReadInt64LittleEndian(sector[16..]), BinaryPrimitives.ReadInt64LittleEndian(sector[24..]))
            : default;
        return whole;
    }
}
