using System.Text;
using KawaOrleans.Storage.Streams;

namespace KawaOrleans.Storage.Tests.Streams;

public sealed class StreamDeltaTests
{
    [Fact]
    public void Streams_restored_from_deltas_are_those_that_were_written()
    {
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var names = 1 + random.Next(300);
            var (streams, restored) = (new OpenStreams(), new OpenStreams());
            for (var (position, checkpoint) = (0U, 0); checkpoint < 4; checkpoint++)
            {
                var first = position;
                for (var i = random.Next(400); i > 0; i--)
                {
                    Add(streams, random.Next(names), position++);
                }

                var body = new byte[StreamDelta.MaxBytes(streams)];
                var length = StreamDelta.Of(streams).Write(body);
                var events = streams.Uncovered.Count;
                streams.Covered();
                Assert.True(StreamDelta.TryRead(body.AsSpan(0, length), events)!.TryRestore(restored, first));
            }

            AssertSame(streams, restored);
        }
    }

    [Fact]
    public void A_delta_cut_short_is_none()
    {
        var streams = Sample.Streams(200);
        var body = new byte[StreamDelta.MaxBytes(streams)];
        var length = StreamDelta.Of(streams).Write(body);
        for (var shorter = 0; shorter < length; shorter++)
        {
            Assert.Null(StreamDelta.TryRead(body.AsSpan(0, shorter), 200));
        }
    }

    [Fact]
    public void A_delta_that_names_a_stream_nobody_began_contradicts_itself()
    {
        var body = new byte[] { 0, 0, 0, 0, 5 };
        Assert.False(StreamDelta.TryRead(body, 1)!.TryRestore(new OpenStreams(), 0));
    }

    [Fact]
    public void A_delta_that_begins_a_stream_without_an_event_contradicts_itself()
    {
        var body = new byte[] { 1, 0, 0, 0, 1, 2, 3, 4, 0 };
        Assert.False(StreamDelta.TryRead(body, 0) is { } delta && delta.TryRestore(new OpenStreams(), 0));
    }

    private static void Add(OpenStreams streams, int number, uint position)
    {
        var name = Encoding.UTF8.GetBytes($"s{number}");
        var hash = (uint)number;
        var ordinal = streams.Find(hash, name);
        streams.Add(ordinal >= 0 ? ordinal : streams.Begin(hash, name, (long)number << (number % 50), -1), position);
    }

    private static void AssertSame(OpenStreams expected, OpenStreams found)
    {
        Assert.Equal(expected.Count, found.Count);
        for (var ordinal = 0; ordinal < expected.Count; ordinal++)
        {
            Assert.Equal(
                (expected.HashOf(ordinal), expected.FirstRevision(ordinal), expected.LastRevision(ordinal), expected.FirstPosition(ordinal)),
                (found.HashOf(ordinal), found.FirstRevision(ordinal), found.LastRevision(ordinal), found.FirstPosition(ordinal)));
            var (a, b) = (new uint[expected.Events(ordinal)], new uint[found.Events(ordinal)]);
            expected.Positions(ordinal, 0, a);
            found.Positions(ordinal, 0, b);
            Assert.Equal(a, b);
        }
    }
}
