using System.Buffers.Binary;
using System.Text;
using KawaOrleans.Format;

namespace KawaOrleans.Storage.Segments;

/// <summary>The header sector.</summary>
internal static class SegmentHeaderCodec
{
    private const ulong Magic = 0x4745_532E_4157_414B; // "KAWA.SEG"
    private const ushort Version = 1;
    private const int MaxEnsemble = 7;
    private const int EnsembleOffset = 272;

    public static byte[] Encode(SegmentHeader header)
    {
        var sector = new byte[FileLayout.SectorBytes];
        var s = sector.AsSpan();
        BinaryPrimitives.WriteUInt16LittleEndian(s[16..], Version);
        s[18] = (byte)header.Ensemble.Count;
        s[19] = (byte)header.AckQuorum;
        WriteId(s[32..], header.LogId);
        WriteId(s[48..], header.Identity.Id);
        BinaryPrimitives.WriteInt32LittleEndian(s[64..], header.Identity.Generation);
        BinaryPrimitives.WriteInt32LittleEndian(s[68..], FileLayout.MaxGroupBytes(header.FileBytes));
        BinaryPrimitives.WriteInt64LittleEndian(s[72..], header.Identity.Epoch);
        BinaryPrimitives.WriteInt64LittleEndian(s[80..], header.BasePosition);
        WriteId(s[88..], header.Predecessor ?? Guid.Empty);
        BinaryPrimitives.WriteInt64LittleEndian(s[104..], header.ChainVersion);
        BinaryPrimitives.WriteInt64LittleEndian(s[112..], header.FileBytes);
        BinaryPrimitives.WriteInt64LittleEndian(s[120..], header.CreatedTicks);
        BinaryPrimitives.WriteInt64LittleEndian(s[128..], header.TimestampFloor);
        BinaryPrimitives.WriteUInt16LittleEndian(s[136..], (ushort)header.LogName.Length);
        Encoding.ASCII.GetBytes(header.LogName, s[138..]);
        for (var i = 0; i < header.Ensemble.Count; i++)
        {
            WriteId(s[(EnsembleOffset + (16 * i))..], header.Ensemble[i]);
        }

        Sector.Finish(s, Magic, segmentKey: 0);
        return sector;
    }

    /// <summary>Reads the header, or says why these bytes are none.</summary>
    /// <exception cref="NotASegmentException">Not ours, or of a version or with features unknown here.</exception>
    /// <exception cref="SegmentDamagedException">Ours, but not as written.</exception>
    public static SegmentHeader Decode(string path, ReadOnlySpan<byte> s)
    {
        if (s.Length < FileLayout.SectorBytes)
        {
            throw new NotASegmentException(path, $"{s.Length} bytes are too few for a segment file. If it was one, restore it from a copy; else move it out of the data directory.");
        }

        s = s[..FileLayout.SectorBytes];

        switch (Sector.Check(s, Magic, segmentKey: 0))
        {
            case SectorStatus.Blank:
                throw new NotASegmentException(path, "its header is blank, so it was never claimed or its first page was lost. If it held events, restore it from a copy; else move it out of the data directory.");
            case SectorStatus.Bad when BinaryPrimitives.ReadUInt64LittleEndian(s[8..]) != Magic:
                throw new NotASegmentException(path, "it does not begin like a segment file. If it was one, restore it from a copy; else move it out of the data directory.");
            case SectorStatus.Bad:
                throw new SegmentDamagedException(path, FileLayout.Header, "the header does not verify");
        }

        var version = BinaryPrimitives.ReadUInt16LittleEndian(s[16..]);
        var needed = BinaryPrimitives.ReadUInt32LittleEndian(s[24..]) | BinaryPrimitives.ReadUInt32LittleEndian(s[28..]);
        if (version != Version || needed != 0)
        {
            throw new NotASegmentException(
                path, $"format version {version}, features {needed:x}; this program knows version {Version} without features. Use the program that wrote it.");
        }

        var nameLength = BinaryPrimitives.ReadUInt16LittleEndian(s[136..]);
        var replicas = s[18];
        var fileBytes = BinaryPrimitives.ReadInt64LittleEndian(s[112..]);
        if (replicas is 0 or > MaxEnsemble || nameLength > Limits.MaxKeyLength)
        {
            throw new SegmentDamagedException(path, FileLayout.Header, "the header's lengths are none that a header has");
        }

        var ensemble = new Guid[replicas];
        for (var i = 0; i < replicas; i++)
        {
            ensemble[i] = ReadId(s[(EnsembleOffset + (16 * i))..]);
        }

        var predecessor = ReadId(s[88..]);
        var header = new SegmentHeader
        {
            Identity = new SegmentIdentity(
                ReadId(s[48..]), BinaryPrimitives.ReadInt32LittleEndian(s[64..]), BinaryPrimitives.ReadInt64LittleEndian(s[72..])),
            LogId = ReadId(s[32..]),
            LogName = Encoding.ASCII.GetString(s.Slice(138, nameLength)),
            BasePosition = BinaryPrimitives.ReadInt64LittleEndian(s[80..]),
            FileBytes = fileBytes,
            Predecessor = predecessor == Guid.Empty ? null : predecessor,
            ChainVersion = BinaryPrimitives.ReadInt64LittleEndian(s[104..]),
            Ensemble = ensemble,
            AckQuorum = s[19],
            TimestampFloor = BinaryPrimitives.ReadInt64LittleEndian(s[128..]),
            CreatedTicks = BinaryPrimitives.ReadInt64LittleEndian(s[120..]),
        };
        var reason = WhyNot(header)
            ?? (BinaryPrimitives.ReadInt32LittleEndian(s[68..]) == FileLayout.MaxGroupBytes(fileBytes) ? null : "its largest write group is not that of its size");
        return reason is null ? header : throw new SegmentDamagedException(path, FileLayout.Header, $"the header verifies but cannot be: {reason}");
    }

    /// <summary>Why no file may have this header, or null.</summary>
    public static string? WhyNot(SegmentHeader header) => header switch
    {
        { Ensemble.Count: 0 or > MaxEnsemble } => $"a segment has 1 to {MaxEnsemble} replicas, not {header.Ensemble.Count}",
        _ when header.AckQuorum < 1 || header.AckQuorum > header.Ensemble.Count => $"an ack quorum is 1 to {header.Ensemble.Count}, not {header.AckQuorum}",
        _ when header.Identity.Id == Guid.Empty || header.LogId == Guid.Empty => "a segment and its log have ids",
        _ when header.BasePosition < 0 || header.Identity.Epoch < 0 || header.Identity.Generation < 0 => "base, epoch and generation are not negative",
        _ when header.BasePosition > long.MaxValue - uint.MaxValue => "the base leaves room for a segment's positions",
        _ when Names.WhyNotKey(header.LogName) is { } bad => $"log name: {bad}",
        _ => WhyNotFileBytes(header.FileBytes),
    };

    private static string? WhyNotFileBytes(long fileBytes) =>
        fileBytes < Limits.MinSegmentBytes || fileBytes > Limits.MaxSegmentBytes + (2L * Limits.MaxBatchBytes) || fileBytes % FileLayout.PageBytes != 0
            ? $"a segment file has {Limits.MinSegmentBytes} to {Limits.MaxSegmentBytes} bytes, a multiple of {FileLayout.PageBytes}; not {fileBytes}"
            : null;

    private static void WriteId(Span<byte> destination, Guid id) => id.TryWriteBytes(destination, bigEndian: true, out _);

    private static Guid ReadId(ReadOnlySpan<byte> source) => new(source[..16], bigEndian: true);
}
