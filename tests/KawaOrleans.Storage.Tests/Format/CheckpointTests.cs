using KawaOrleans.Format;
using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Streams;

namespace KawaOrleans.Storage.Tests.Format;

public sealed class CheckpointTests
{
    private const uint Key = 7;
    private const long Offset = 1 << 20;

    [Fact]
    public void A_checkpoint_reads_back_as_written_with_lengths_of_every_size()
    {
        int[] lengths = [40, 64, 1016, 1024, 131_064, 131_072, 1 << 20, Limits.MaxEventBytes];
        var written = Sample(lengths);

        var read = Read(written)!;

        Assert.Equal(lengths, Lengths(read));
        Assert.Equal(written.Streams.ToArray(), read.Streams.ToArray());
        Assert.Equal(written, read with { Lengths = written.Lengths, Streams = written.Streams });
    }

    [Fact]
    public void The_reserved_size_is_never_exceeded()
    {
        foreach (var length in (int[])[40, 72, 1016, 1024, 1032, 131_064, 131_072, 8 << 20])
        {
            var encoded = Storage.Tests.Sample.Lengths([.. Enumerable.Repeat(length, 100)]);

            Assert.True(encoded.Length <= Checkpoint.MaxLengthBytes(100, 100L * length), $"{length}");
        }
    }

    [Fact]
    public void A_checkpoint_cut_short_before_its_streams_is_none()
    {
        var checkpoint = Sample([200, 2048, 200_000]);
        var body = new byte[100];
        var length = checkpoint.Write(body) - checkpoint.Streams.Length;
        Assert.NotNull(ReadBody(body.AsSpan(0, length)));
        for (var shorter = 0; shorter < length; shorter++)
        {
            Assert.Null(ReadBody(body.AsSpan(0, shorter)));
        }
    }

    [Fact]
    public void A_checkpoint_that_contradicts_its_place_is_none()
    {
        Assert.Null(Read(Sample([200]) with { CoveredOffset = Offset - 8 }));
        Assert.Null(Read(Sample([200]) with { Previous = Offset }));
        Assert.Null(Read(Sample([200]) with { Previous = -8 }));
        Assert.Null(Read(Sample([200]) with { Events = -1 }));
        Assert.Null(Read(Sample([200]) with { Events = 100 }));
    }

    [Theory]
    [InlineData(32)]
    [InlineData(Limits.MaxEventBytes + 8)]
    public void A_length_that_no_frame_has_does_not_lead_anywhere(int length)
    {
        const long End = 1 << 24;
        Assert.True(new CoveredSection(0, End - 40, Sample([40]) with { CoveredOffset = End }).TryDecode(new uint[1], 0));
        Assert.False(new CoveredSection(0, End - length, Sample([length]) with { CoveredOffset = End }).TryDecode(new uint[1], 0));
    }

    private static Checkpoint Sample(int[] lengths) => new()
    {
        CoveredOffset = Offset,
        Previous = 8192,
        ContentHash = 0xFEED_FACE_CAFE_BEEF,
        LastTimestamp = 638_000,
        Events = lengths.Length,
        Lengths = Storage.Tests.Sample.Lengths(lengths),
        Streams = Storage.Tests.Sample.Streams(lengths.Length).Cover(Offset),
    };

    private static int[] Lengths(Checkpoint checkpoint)
    {
        var lengths = new int[checkpoint.Events];
        var at = 0;
        for (var i = 0; i < lengths.Length; i++)
        {
            Assert.True(Checkpoint.TryReadLength(checkpoint.Lengths.Span, ref at, out lengths[i]));
        }

        Assert.Equal(checkpoint.Lengths.Length, at);
        return lengths;
    }

    private static Checkpoint? Read(Checkpoint checkpoint)
    {
        var body = new byte[4096];
        return ReadBody(body.AsSpan(0, checkpoint.Write(body)));
    }

    private static Checkpoint? ReadBody(ReadOnlySpan<byte> body)
    {
        var frame = new byte[FrameLayout.Padded(FrameLayout.HeaderBytes + body.Length)];
        body.CopyTo(frame.AsSpan(FrameLayout.HeaderBytes));
        FrameStamp.Other(frame, FrameKind.Checkpoint, body.Length, Key, Offset, Offset, 3, 638_000);
        Assert.Equal(FrameStatus.Whole, Frame.TryRead(frame, Offset, Key, out var read));
        return Checkpoint.Read(read);
    }
}
