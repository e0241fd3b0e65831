using System.Buffers.Binary;
using System.Text;
using KawaOrleans.Format;

namespace KawaOrleans.Storage.Tests.Format;

public sealed class EventBatchTests
{
    [Fact]
    public void Parsed_bytes_are_the_batch_that_was_encoded()
    {
        var encoded = Sample.Batch(0, 5, dataBytes: 33);

        var parsed = EventBatch.Parse(encoded.Bytes);

        Assert.Equal((encoded.Count, encoded.LargestEventBytes), (parsed.Count, parsed.LargestEventBytes));
        Assert.Equal(encoded.Bytes.ToArray(), parsed.Bytes.ToArray());
    }

    [Theory]
    [InlineData("")]
    [InlineData("$all")]
    [InlineData("a\tb")]
    public void A_stream_or_type_name_against_the_rules_is_refused_with_the_number_of_its_event(string name)
    {
        var good = Sample.Event(0);

        Assert.Contains("Event 1: stream", Refused(() => EventBatch.Encode([good, new EventData(name, "t", default)])));
        Assert.Contains("Event 1: type", Refused(() => EventBatch.Encode([good, new EventData("s", name, default)])));
    }

    [Fact]
    public void An_empty_batch_is_refused()
    {
        Assert.Contains("empty", Refused(() => EventBatch.Encode([])));
        Assert.Contains("empty", Refused(() => EventBatch.Parse(default)));
    }

    [Fact]
    public void A_batch_may_fill_8_MiB_and_not_one_byte_more()
    {
        var fixedBytes = FrameLayout.HeaderBytes + EventBody.FixedBytes + "s".Length + "t".Length;
        var fits = EventBatch.Of(new EventData("s", "t", new byte[Limits.MaxEventBytes - fixedBytes]));
        Assert.Equal(Limits.MaxEventBytes, fits.LargestEventBytes);
        Assert.Equal(1, EventBatch.Parse(fits.Bytes).Count);

        Assert.Contains("at most", Refused(() => EventBatch.Of(new EventData("s", "t", new byte[Limits.MaxEventBytes - fixedBytes + 1]))));
        var half = new EventData("s", "t", new byte[Limits.MaxBatchBytes / 2]);
        Assert.Contains("Split", Refused(() => EventBatch.Encode([half, half])));
        Assert.Contains("Split", Refused(() => EventBatch.Parse(new byte[Limits.MaxBatchBytes + 8])));
    }

    /// <summary>Each row breaks one rule of the bytes that a writer relies on, in the second of three events.</summary>
    public static TheoryData<string, int, byte[], string> BrokenFields => new()
    {
        { "a length below the header", FrameLayout.Length, Int32(39), "length 39" },
        { "a length of zero", FrameLayout.Length, Int32(0), "length 0" },
        { "a negative length", FrameLayout.Length, Int32(int.MinValue), "length -" },
        { "a length beyond the batch", FrameLayout.Length, Int32(100_000), "does not fit" },
        { "the greatest length", FrameLayout.Length, Int32(int.MaxValue), "does not fit" },
        { "another kind", FrameLayout.Kind, [(byte)FrameKind.Checkpoint], "only event frames" },
        { "a skippable kind", FrameLayout.Kind, [0x81], "only event frames" },
        { "unknown traits", FrameLayout.Traits, [16], "known flags" },
        { "a deletion without its type", FrameLayout.Traits, [4], "'$deleted'" },
        { "a tombstone without its type", FrameLayout.Traits, [8], "'$tombstone'" },
        { "an early end of the batch", FrameLayout.Traits, [1], "last event" },
        { "a codec", FrameLayout.Codecs, [1], "compressed or encrypted" },
        { "a key", FrameLayout.KeyId, [1], "compressed or encrypted" },
        { "another stream's hash", FrameLayout.StreamHash, Int32(7), "stream hash" },
        { "an empty stream name", FrameLayout.HeaderBytes + EventBody.StreamLength, [0, 0], "stream name" },
        { "an empty type name", FrameLayout.HeaderBytes + EventBody.TypeLength, [0, 0], "type name" },
        { "a stream longer than the event", FrameLayout.HeaderBytes + EventBody.StreamLength, [0xFF, 0xFF], "lengths inside" },
        { "a type longer than the event", FrameLayout.HeaderBytes + EventBody.TypeLength, [0xFF, 0xFF], "lengths inside" },
        { "negative metadata", FrameLayout.HeaderBytes + EventBody.MetadataLength, Int32(-1), "lengths inside" },
        { "metadata longer than the event", FrameLayout.HeaderBytes + EventBody.MetadataLength, Int32(int.MaxValue), "lengths inside" },
        { "a control character in the stream", FrameLayout.HeaderBytes + EventBody.FixedBytes, [0x0A], "control" },
        { "a reserved stream", FrameLayout.HeaderBytes + EventBody.FixedBytes, "$"u8.ToArray(), "reserved" },
        { "a stream that is no UTF-8", FrameLayout.HeaderBytes + EventBody.FixedBytes, [0xFF], "UTF-8" },
    };

    [Theory]
    [MemberData(nameof(BrokenFields))]
    public void Bytes_with_one_broken_rule_are_refused_with_the_rule(string rule, int field, byte[] value, string reason)
    {
        var bytes = EventBatch.Encode([Plain(0), Plain(1), Plain(2)]).Bytes.ToArray();
        var second = bytes.Length / 3;
        value.CopyTo(bytes.AsSpan(second + field));

        var refused = Refused(() => EventBatch.Parse(bytes));

        Assert.Contains(reason, refused);
        Assert.True(refused.Contains($"Event 1 of the batch, at byte {second}", StringComparison.Ordinal), $"{rule}: {refused}");
    }

    [Fact]
    public void Padding_is_zero()
    {
        var bytes = EventBatch.Of(Plain(0)).Bytes.ToArray();
        Assert.Equal(0, bytes[^1]);
        bytes[^1] = 1;

        Assert.Contains("padding", Refused(() => EventBatch.Parse(bytes)));
    }

    [Fact]
    public void The_last_event_must_be_marked_as_such()
    {
        var bytes = EventBatch.Of(Plain(0)).Bytes.ToArray();
        bytes[FrameLayout.Traits] = 0;

        Assert.Contains("last event", Refused(() => EventBatch.Parse(bytes)));
    }

    /// <summary>Parse took any 64 bits as an occurred time; such an event, once stored, threw in every reader that decoded it.</summary>
    [Theory]
    [InlineData(-1)]
    [InlineData(long.MaxValue)]
    [InlineData(3155378976000000000)]
    public void An_occurred_time_outside_the_calendar_is_refused(long ticks)
    {
        var bytes = EventBatch.Of(Plain(0) with { Occurred = DateTimeOffset.UnixEpoch }).Bytes.ToArray();
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(FrameLayout.HeaderBytes + EventBody.FixedBytes), ticks);

        Assert.Contains("occurred", Refused(() => EventBatch.Parse(bytes)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3155378975999999999)]
    public void The_first_and_the_last_moment_of_the_calendar_are_taken(long ticks)
    {
        var batch = EventBatch.Of(Plain(0) with { Occurred = new DateTimeOffset(ticks, TimeSpan.Zero) });

        Assert.Equal(1, EventBatch.Parse(batch.Bytes).Count);
    }

    [Fact]
    public void Every_single_bit_flip_since_the_encoding_is_refused()
    {
        var bytes = Sample.Batch(0, 3).Bytes.ToArray();
        for (var frame = bytes.AsSpan(); !frame.IsEmpty;)
        {
            var padded = FrameLayout.Padded(BinaryPrimitives.ReadInt32LittleEndian(frame[FrameLayout.Length..]));
            for (var bit = 0; bit < padded * 8; bit++)
            {
                // What the writer overwrites carries nothing yet.
                if (bit / 8 is >= FrameLayout.Revision and < FrameLayout.Encoded)
                {
                    continue;
                }

                frame[bit / 8] ^= (byte)(1 << (bit % 8));
                Assert.Throws<BatchRefusedException>(() => EventBatch.Parse(bytes));
                frame[bit / 8] ^= (byte)(1 << (bit % 8));
            }

            frame = frame[padded..];
        }

        Assert.Equal(3, EventBatch.Parse(bytes).Count);
    }

    [Fact]
    public void Data_that_changed_on_the_way_is_refused_as_changed()
    {
        var bytes = EventBatch.Of(Plain(0)).Bytes.ToArray();
        bytes[FrameLayout.HeaderBytes + EventBody.Id] ^= 1;

        Assert.Contains("changed on the way", Refused(() => EventBatch.Parse(bytes)));
    }

    [Fact]
    public void Every_truncation_of_a_batch_is_refused()
    {
        var bytes = Sample.Batch(0, 3).Bytes;
        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.Throws<BatchRefusedException>(() => EventBatch.Parse(bytes[..length]));
        }
    }

    private static EventData Plain(int number) => new("order-1", "placed", Encoding.UTF8.GetBytes($"data {number}")) { Id = new Guid(number, 0, 0, new byte[8]) };

    private static string Refused(Action act) => Assert.Throws<BatchRefusedException>(act).Message;

    private static byte[] Int32(int value) => BitConverter.GetBytes(value);
}
