using System.Buffers.Binary;

namespace KawaOrleans.Storage.Segments;

/// <summary>Stands where the header will be until a segment claims the file: it holds nothing. Said, not concluded from zeroes:
/// a header page that was zeroed by damage must never make a segment look like a spare.</summary>
internal static class SpareSector
{
    private const ulong Magic = 0x5250_532E_4157_414B; // "KAWA.SPR"
    private const uint NoKey = 0;

    public static byte[] Encode(long fileBytes)
    {
        var sector = new byte[FileLayout.SectorBytes];
        BinaryPrimitives.WriteInt64LittleEndian(sector.AsSpan(Sector.Content), fileBytes);
        Sector.Finish(sector, Magic, NoKey);
        return sector;
    }

    /// <summary>True when a file begins so and nothing follows in its header and hint pages.</summary>
    public static bool Is(ReadOnlySpan<byte> begin, long fileLength) =>
        begin.Length == FileLayout.FirstFrame
        && Sector.Check(begin[..FileLayout.SectorBytes], Magic, NoKey) == SectorStatus.Whole
        && BinaryPrimitives.ReadInt64LittleEndian(begin[Sector.Content..]) == fileLength
        && !begin[FileLayout.SectorBytes..].ContainsAnyExcept((byte)0);
}
