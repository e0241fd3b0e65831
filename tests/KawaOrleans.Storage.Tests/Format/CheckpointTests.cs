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

        Assert.Equal(lengths, read.FrameLengths);
        Assert.Equal(written, read with { FrameLengths = written.FrameLengths, Streams = written.Streams });
        Assert.True(written.Streams.Says(read.Streams));
    }

    [Fact]
    public void The_reserved_size_is_never_exceeded()
    {
        foreach (var length in (int[])[40, 72, 1016, 1024, 1032, 131_064, 131_072, 8 << 20])
        {
            var lengths = Enumerable.Repeat(length, 100).ToArray();
            var body = new byte[4096];
            var written = Sample(lengths).Write(body);

            Assert.True(FrameLayout.Padded(FrameLayout.HeaderBytes + written) <= Checkpoint.MaxFrameBytes(100, 100L * length) + StreamDelta.MaxBytes(Storage.Tests.Sample.Streams(100)), $"{length}");
        }
    }

    [Fact]
    public void A_checkpoint_cut_short_in_its_body_is_none()
    {
        var checkpoint = Sample([200, 2048, 200_000]);
        var body = new byte[100];
        var length = checkpoint.Write(body);
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
        Assert.Null(Read(Sample([32])));
        Assert.Null(Read(Sample([Limits.MaxEventBytes + 8])));
    }

    private static Checkpoint Sample(int[] lengths) => new()
    {
        CoveredOffset = Offset,
        Previous = 8192,
        ContentHash = 0xFEED_FACE_CAFE_BEEF,
        LastTimestamp = 638_000,
        FrameLengths = lengths,
        Streams = StreamDelta.Of(Storage.Tests.Sample.Streams(lengths.Length)),
    };

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
