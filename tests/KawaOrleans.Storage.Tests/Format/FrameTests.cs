using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using KawaOrleans.Format;
using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Streams;

namespace KawaOrleans.Storage.Tests.Format;

public sealed class FrameTests
{
    private const long Offset = 8192 + 4096;
    private static readonly SegmentIdentity Identity = Sample.Header().Identity;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void An_event_frame_reads_back_as_stamped(int number)
    {
        var frame = Event(number, out var checksum);

        Assert.Equal(FrameStatus.Whole, Frame.TryRead(frame, Offset, Identity, out var read));
        Assert.Equal(FrameKind.Event, read.Kind);
        Assert.Equal((Offset, Offset + frame.Length, Offset - 64), (read.Offset, read.End, read.GroupStart));
        Assert.Equal((17U, 3L, 638_000L, checksum, 1L), (read.RelativePosition, read.Revision, read.Timestamp, read.StoredChecksum, read.Positions));
        Assert.True(EventFrame.TryOpen(read, 1000, out var opened));
        Assert.Equal(1017, opened.Position);
        Sample.AssertIs(number, opened.ToRecordedEvent());
        Assert.Equal(EventBody.HashStream(opened.StreamUtf8), read.StreamHash);
        Assert.Equal((frame.Length, true), (opened.StoredBytes, opened.IsLastOfBatch));
    }

    [Fact]
    public void Every_single_bit_flip_of_a_frame_is_detected()
    {
        foreach (var frame in (byte[][])[Event(0, out _), Event(1, out _), Checkpoint(), Gap(3)])
        {
            for (var bit = 0; bit < frame.Length * 8; bit++)
            {
                frame[bit / 8] ^= (byte)(1 << (bit % 8));
                Assert.NotEqual(FrameStatus.Whole, Frame.TryRead(frame, Offset, Identity, out _));
                frame[bit / 8] ^= (byte)(1 << (bit % 8));
            }
        }
    }

    [Fact]
    public void Every_truncation_of_a_frame_is_detected()
    {
        foreach (var frame in (byte[][])[Event(0, out _), Checkpoint(), Gap(3)])
        {
            for (var length = 0; length < frame.Length; length++)
            {
                Assert.NotEqual(FrameStatus.Whole, Frame.TryRead(frame.AsSpan(0, length), Offset, Identity, out _));
            }
        }
    }

    [Fact]
    public void A_frame_of_another_segment_generation_epoch_or_offset_does_not_verify()
    {
        var frame = Event(0, out _);

        SegmentIdentity[] others =
        [
            new(Guid.NewGuid(), Identity.Generation, Identity.Epoch),
            new(Identity.Id, Identity.Generation + 1, Identity.Epoch),
            new(Identity.Id, Identity.Generation, Identity.Epoch + 1),
        ];
        foreach (var other in others)
        {
            Assert.Equal(FrameStatus.BadChecksum, Frame.TryRead(frame, Offset, other, out _));
        }

        for (var offset = 8192L; offset < 64 * 1024; offset += 8)
        {
            Assert.Equal(offset == Offset ? FrameStatus.Whole : FrameStatus.BadChecksum, Frame.TryRead(frame, offset, Identity, out _));
        }
    }

    [Fact]
    public void An_event_that_changed_after_it_was_encoded_does_not_verify_though_its_writer_never_looked()
    {
        for (var at = FrameLayout.Encoded; at < EventBatch.Of(Sample.Event(0)).Bytes.Length; at++)
        {
            var frame = EventBatch.Of(Sample.Event(0)).Bytes.ToArray();
            frame[at] ^= 0x10;
            Sample.StampEncoded(frame, Offset, Offset, 17, 638_000);

            Assert.NotEqual(FrameStatus.Whole, Frame.TryRead(frame, Offset, Identity, out _));
        }
    }

    [Fact]
    public void A_stamp_on_another_event_of_the_same_length_does_not_verify()
    {
        var (one, other) = (Event(1, out _), Event(5, out _));
        one.AsSpan(..FrameLayout.Encoded).CopyTo(other);

        Assert.Equal(FrameStatus.BadChecksum, Frame.TryRead(other, Offset, Identity, out _));
    }

    [Fact]
    public void Four_words_hash_to_what_the_library_makes_of_their_bytes_folded()
    {
        var random = new Random(7);
        var words = new byte[32];
        for (var round = 0; round < 10_000; round++)
        {
            random.NextBytes(words);

            var hash = FourWordHash.Folded(Word(0), Word(1), Word(2), Word(3));

            Assert.Equal(Checksum.Fold(XxHash3.HashToUInt64(words)), hash);
        }

        ulong Word(int n) => BinaryPrimitives.ReadUInt64LittleEndian(words.AsSpan(8 * n));
    }

    [Fact]
    public void Zeroes_are_nothing_and_never_a_frame()
    {
        for (var length = 0; length < 200; length++)
        {
            Assert.Equal(FrameStatus.Nothing, Frame.TryRead(new byte[length], Offset, Identity, out _));
        }
    }

    [Theory]
    [InlineData(int.MinValue)]
    [InlineData(-1)]
    [InlineData(1)]
    [InlineData(39)]
    [InlineData(int.MaxValue - 6)]
    [InlineData(int.MaxValue)]
    public void A_length_that_no_frame_has_is_a_bad_length(int length)
    {
        var bytes = new byte[64];
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(FrameLayout.Length), length);

        Assert.Equal(FrameStatus.BadLength, Frame.TryRead(bytes, Offset, Identity, out _));
    }

    /// <summary>Rounding a length near the greatest int up to a multiple of 8 overflowed, in a method that promises not to throw.
    /// It takes as many bytes at hand, which a map of a large file gives; here they are only claimed, none is read.</summary>
    [Fact]
    public void The_greatest_length_is_a_bad_length_even_when_as_many_bytes_are_at_hand()
    {
        var bytes = new byte[64];
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(FrameLayout.Length), int.MaxValue - 3);
        var claimed = MemoryMarshal.CreateReadOnlySpan(ref bytes[0], int.MaxValue);

        Assert.Equal(FrameStatus.BadLength, Frame.TryRead(claimed, Offset, Identity, out _));
    }

    [Theory]
    [InlineData((byte)0, (byte)0)]
    [InlineData((byte)5, (byte)0)]
    [InlineData((byte)0x7F, (byte)0)]
    [InlineData((byte)FrameKind.Event, (byte)16)]
    [InlineData((byte)FrameKind.Event, (byte)0x80)]
    public void A_whole_frame_of_an_unknown_kind_or_with_unknown_traits_is_unknown(byte kind, byte traits)
    {
        var frame = Event(1, out _);
        frame[FrameLayout.Kind] = kind;
        frame[FrameLayout.Traits] = traits;
        Restamp(frame);

        Assert.Equal(FrameStatus.Unknown, Frame.TryRead(frame, Offset, Identity, out _));
    }

    [Fact]
    public void An_unknown_kind_with_the_skippable_bit_is_whole_and_takes_no_position()
    {
        var frame = Event(1, out _);
        frame[FrameLayout.Kind] = 0x85;
        Restamp(frame);

        Assert.Equal(FrameStatus.Whole, Frame.TryRead(frame, Offset, Identity, out var read));
        Assert.Equal(0, read.Positions);
    }

    /// <summary>A gap frame whose body is shorter than its number was taken as known, because padding counted as body;
    /// asking for its positions then threw.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public void A_gap_without_its_number_is_unknown(int bodyBytes) =>
        Assert.Equal(FrameStatus.Unknown, Frame.TryRead(Other(FrameKind.Gap, bodyBytes, []), Offset, Identity, out _));

    /// <summary>A frame that verifies and says a time that no clock shows failed whoever made an event of it, with an error that named no file.</summary>
    [Theory]
    [InlineData(-1, false)]
    [InlineData(long.MaxValue, false)]
    [InlineData(0, true)]
    [InlineData(3_155_378_975_999_999_999, true)]
    public void An_event_recorded_or_occurred_when_no_clock_was_is_none(long ticks, bool isTime)
    {
        var recorded = EventBatch.Of(Sample.Event(0)).Bytes.ToArray();
        Sample.StampEncoded(recorded, Offset, Offset, 17, ticks);
        Assert.Equal(FrameStatus.Whole, Frame.TryRead(recorded, Offset, Identity, out var read));
        Assert.Equal(isTime, EventFrame.TryOpen(read, 0, out _));

        var occurred = EventBatch.Of(new EventData("s", "t", default) { Occurred = DateTimeOffset.UnixEpoch }).Bytes.ToArray();
        BinaryPrimitives.WriteInt64LittleEndian(occurred.AsSpan(FrameLayout.HeaderBytes + EventBody.FixedBytes), ticks);
        Sample.Stamp(occurred, Offset, Offset, 17, 638_000);
        Assert.Equal(FrameStatus.Whole, Frame.TryRead(occurred, Offset, Identity, out read));
        Assert.Equal(isTime, EventFrame.TryOpen(read, 0, out _));
    }

    [Fact]
    public void A_gap_takes_as_many_positions_as_it_says()
    {
        Assert.Equal(FrameStatus.Whole, Frame.TryRead(Gap(7), Offset, Identity, out var gap));
        Assert.Equal(7, gap.Positions);
        Assert.False(EventFrame.TryOpen(gap, 0, out _));
    }

    private static byte[] Event(int number, out uint checksum)
    {
        var frame = EventBatch.Of(Sample.Event(number)).Bytes.ToArray();
        checksum = Sample.StampEncoded(frame, Offset, Offset - 64, 17, 638_000);
        return frame;
    }

    private static byte[] Gap(int positions) => Other(FrameKind.Gap, 4, BitConverter.GetBytes(positions));

    private static byte[] Checkpoint()
    {
        var body = new byte[200];
        var checkpoint = new Checkpoint
        {
            CoveredOffset = Offset,
            Previous = 0,
            ContentHash = 1,
            LastTimestamp = 2,
            Events = 2,
            Lengths = Sample.Lengths([200, 2048]),
            Streams = Sample.Streams(2).Cover(0),
        };
        return Other(FrameKind.Checkpoint, checkpoint.Write(body), body);
    }

    private static byte[] Other(FrameKind kind, int bodyBytes, byte[] body)
    {
        var frame = new byte[FrameLayout.Padded(FrameLayout.HeaderBytes + bodyBytes)];
        body.AsSpan(0, Math.Min(body.Length, bodyBytes)).CopyTo(frame.AsSpan(FrameLayout.HeaderBytes));
        FrameStamp.Other(frame, kind, bodyBytes, Identity.ChecksumKey, Offset, Offset, 17, 638_000);
        return frame;
    }

    private static void Restamp(byte[] frame) => Sample.Stamp(frame, Offset, Offset, 17, 638_000);
}
