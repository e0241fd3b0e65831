using KawaOrleans.Storage.Segments;

namespace KawaOrleans.Storage.Tests.Format;

public sealed class SectorTests
{
    private const uint Key = 0xC0FFEE;
    private static readonly Guid Boot = new("50000000-0000-0000-0000-000000000001");
    private static readonly Guid Opening = new("40000000-0000-0000-0000-000000000004");

    [Fact]
    public void A_header_reads_back_as_written()
    {
        var header = Sample.Header(basePosition: 77, epoch: 9) with
        {
            Predecessor = Guid.NewGuid(),
            Ensemble = [.. Enumerable.Range(0, 7).Select(_ => Guid.NewGuid())],
            AckQuorum = 4,
            ChainVersion = 12,
            TimestampFloor = 99,
            CreatedTicks = 101,
            LogName = new string('a', 128),
        };

        var read = SegmentHeaderCodec.Decode("x", SegmentHeaderCodec.Encode(header));

        Assert.Equal(header.Ensemble, read.Ensemble);
        Assert.Equal(header, read with { Ensemble = header.Ensemble });
    }

    [Fact]
    public void Every_sector_reads_back_as_written()
    {
        var opened = new OpenedSector(Opening, 5, Durability.Mapped, Boot);
        var fenced = new FencedSector(new Tail(1, 2, 3), Opening, 4);
        var end = new SealedSector(new Tail(1, 2, 3), 4);
        var hint = new CheckpointHint(1, 2);

        Assert.Equal((SectorStatus.Whole, opened), (OpenedSector.Decode(opened.Encode(Key), Key, out var o), o));
        Assert.Equal((SectorStatus.Whole, fenced), (FencedSector.Decode(fenced.Encode(Key), Key, out var f), f));
        Assert.Equal((SectorStatus.Whole, end), (SealedSector.Decode(end.Encode(Key), Key, out var s), s));
        Assert.Equal((true, hint), (CheckpointHint.TryDecode(hint.Encode(Key), Key, out var h), h));
    }

    [Fact]
    public void Every_single_bit_flip_of_a_sector_is_detected()
    {
        foreach (var (name, sector, check) in Sectors())
        {
            Assert.True(check(sector), name);
            for (var bit = 0; bit < sector.Length * 8; bit++)
            {
                sector[bit / 8] ^= (byte)(1 << (bit % 8));
                Assert.False(check(sector), $"{name}, bit {bit}");
                sector[bit / 8] ^= (byte)(1 << (bit % 8));
            }
        }
    }

    [Fact]
    public void A_state_sector_of_another_segment_is_bad_and_a_blank_one_was_not_written()
    {
        Assert.Equal(SectorStatus.Bad, OpenedSector.Decode(new OpenedSector(Opening, 5, Durability.Mapped, Boot).Encode(Key), Key + 1, out _));
        Assert.Equal(SectorStatus.Bad, FencedSector.Decode(new FencedSector(default, Opening, 5).Encode(Key), Key + 1, out _));
        Assert.Equal(SectorStatus.Bad, SealedSector.Decode(new SealedSector(default, 5).Encode(Key), Key + 1, out _));
        Assert.False(CheckpointHint.TryDecode(new CheckpointHint(1, 2).Encode(Key), Key + 1, out _));
        Assert.Equal(SectorStatus.Blank, FencedSector.Decode(new byte[512], Key, out _));
    }

    [Fact]
    public void A_state_sector_does_not_pass_for_one_of_another_kind()
    {
        var fenced = new FencedSector(new Tail(1, 2, 3), Opening, 4).Encode(Key);

        Assert.Equal(SectorStatus.Bad, SealedSector.Decode(fenced, Key, out _));
        Assert.Equal(SectorStatus.Bad, OpenedSector.Decode(fenced, Key, out _));
    }

    /// <summary>Whole sectors with fields that a header never has: told as facts, never as an arithmetic error.</summary>
    [Theory]
    [InlineData(18, new byte[] { 0 })]
    [InlineData(18, new byte[] { 8 })]
    [InlineData(19, new byte[] { 0 })]
    [InlineData(19, new byte[] { 2 })]
    [InlineData(64, new byte[] { 0, 0, 0, 0x80 })]
    [InlineData(68, new byte[] { 0, 0, 0, 0 })]
    [InlineData(72, new byte[] { 0, 0, 0, 0, 0, 0, 0, 0x80 })]
    [InlineData(80, new byte[] { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF })]
    [InlineData(80, new byte[] { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F })]
    [InlineData(112, new byte[] { 0, 0, 0, 0, 0, 0, 0, 0 })]
    [InlineData(112, new byte[] { 1 })]
    [InlineData(112, new byte[] { 0, 0, 0, 0, 0, 0, 0, 0x7F })]
    [InlineData(136, new byte[] { 0xFF, 0xFF })]
    [InlineData(138, new byte[] { 0x2F })]
    public void A_header_whose_fields_contradict_each_other_is_damage(int field, byte[] value)
    {
        var sector = SegmentHeaderCodec.Encode(Sample.Header());
        value.CopyTo(sector.AsSpan(field));
        Sector.Finish(sector, BitConverter.ToUInt64(sector, 8), segmentKey: 0);

        Assert.Throws<SegmentDamagedException>(() => SegmentHeaderCodec.Decode("x", sector));
    }

    [Theory]
    [InlineData(16, (byte)2)]
    [InlineData(16, (byte)0)]
    [InlineData(24, (byte)1)]
    [InlineData(28, (byte)1)]
    [InlineData(31, (byte)0x80)]
    public void Another_version_or_an_unknown_needed_feature_is_refused_with_what_to_do(int field, byte value)
    {
        var sector = SegmentHeaderCodec.Encode(Sample.Header());
        sector[field] = value;
        Sector.Finish(sector, BitConverter.ToUInt64(sector, 8), segmentKey: 0);

        Assert.Contains("Use the program that wrote it", Assert.Throws<NotASegmentException>(() => SegmentHeaderCodec.Decode("x", sector)).Message);
    }

    [Fact]
    public void A_feature_that_readers_may_ignore_is_ignored()
    {
        var sector = SegmentHeaderCodec.Encode(Sample.Header());
        sector[20] = 1;
        Sector.Finish(sector, BitConverter.ToUInt64(sector, 8), segmentKey: 0);

        Assert.Equal(Sample.LogId, SegmentHeaderCodec.Decode("x", sector).LogId);
    }

    private static IEnumerable<(string Name, byte[] Sector, Func<byte[], bool> Check)> Sectors()
    {
        yield return ("header", SegmentHeaderCodec.Encode(Sample.Header()), HeaderIsWhole);
        yield return ("opened", new OpenedSector(Opening, 5, Durability.Mapped, Boot).Encode(Key), s => OpenedSector.Decode(s, Key, out _) == SectorStatus.Whole);
        yield return ("fenced", new FencedSector(new Tail(1, 2, 3), Opening, 4).Encode(Key), s => FencedSector.Decode(s, Key, out _) == SectorStatus.Whole);
        yield return ("sealed", new SealedSector(new Tail(1, 2, 3), 4).Encode(Key), s => SealedSector.Decode(s, Key, out _) == SectorStatus.Whole);
        yield return ("hint", new CheckpointHint(1, 2).Encode(Key), s => CheckpointHint.TryDecode(s, Key, out _));
    }

    private static bool HeaderIsWhole(byte[] sector)
    {
        try
        {
            SegmentHeaderCodec.Decode("x", sector);
            return true;
        }
        catch (StorageException)
        {
            return false;
        }
    }
}
