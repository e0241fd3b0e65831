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
            var (streams, restored) = (new OpenStreams("written"), new OpenStreams("restored"));
            for (var checkpoint = 0; checkpoint < 4; checkpoint++)
            {
                var first = streams.Next;
                for (var i = random.Next(400); i > 0; i--)
                {
                    Add(streams, random.Next(names));
                }

                var most = streams.MaxDeltaBytes;
                var encoded = streams.Cover(offset: 0);
                Assert.True(encoded.Length <= most, $"{encoded.Length} bytes where {most} were reserved");
                Assert.True(restored.TryRestore(Delta(encoded, first, (int)(streams.Next - first))));
            }

            AssertSame(streams, restored);
        }
    }

    [Fact]
    public void A_delta_cut_short_is_none()
    {
        var encoded = Sample.Streams(200).Cover(offset: 0);
        Assert.True(new OpenStreams("restored").TryRestore(Delta(encoded, 0, 200)));
        var whole = encoded.Length - 200; // each event lies less than 128 behind the one before it of its stream, so in one byte
        for (var shorter = 0; shorter < whole; shorter++)
        {
            Assert.False(new OpenStreams("restored").TryRestore(Delta(encoded[..shorter], 0, 200)), $"{shorter}");
        }
    }

    [Fact]
    public void A_delta_whose_positions_are_cut_short_is_damage_when_they_are_asked_for()
    {
        var encoded = Sample.Streams(200).Cover(offset: 0);
        for (var shorter = encoded.Length - 200; shorter < encoded.Length; shorter++)
        {
            var streams = new OpenStreams("restored");
            Assert.True(streams.TryRestore(Delta(encoded[..shorter], 0, 200)));
            Assert.Throws<SegmentDamagedException>(() => streams.Positions(0, 0, new uint[1]));
        }
    }

    [Theory]
    [InlineData("it names a stream that nobody began", "00000000 01000000 05 01 00")]
    [InlineData("it begins a stream that has no event", "01000000 00000000 01020304 00 00")]
    [InlineData("it begins a stream behind the last event", "01000000 01000000 01020304 00 01 00 01 00")]
    [InlineData("it tells of more events than there are", "01000000 01000000 01020304 00 00 00 02 00 00")]
    [InlineData("it tells of fewer events than there are", "00000000 00000000")]
    [InlineData("it tells of a stream without events", "01000000 02000000 01020304 00 00 00 01 00 00 00")]
    [InlineData("it tells of a negative number of streams", "FFFFFFFF 01000000 00 01 00")]
    public void A_delta_that_contradicts_itself_is_none(string why, string hex)
    {
        var encoded = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
        Assert.False(new OpenStreams("restored").TryRestore(Delta(encoded, 0, events: 1)), why);
    }

    [Fact]
    public void A_delta_whose_positions_lead_beyond_its_events_is_damage_when_they_are_asked_for()
    {
        var streams = new OpenStreams("restored");
        Assert.True(streams.TryRestore(Delta(Convert.FromHexString("01000000010000000102030400000002" + "0005"), 0, events: 2)));
        streams.Positions(0, 0, new uint[1]);
        Assert.Throws<SegmentDamagedException>(() => streams.Positions(0, 1, new uint[1]));
    }

    private static StreamDelta Delta(ReadOnlyMemory<byte> encoded, uint first, int events) => new(encoded, first, events, "restored", offset: 0);

    private static void Add(OpenStreams streams, int number)
    {
        var name = Encoding.UTF8.GetBytes($"s{number}");
        var hash = (uint)number;
        var ordinal = streams.Find(hash, name);
        streams.Add(ordinal >= 0 ? ordinal : streams.Begin(hash, name, (long)number << (number % 50), -1));
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
