using System.Text;
using KawaOrleans.Storage.Streams;

namespace KawaOrleans.Storage.Tests.Streams;

public sealed class OpenStreamsTests
{
    [Fact]
    public void Streams_hold_what_a_dictionary_holds()
    {
        for (var seed = 0; seed < 40; seed++)
        {
            var random = new Random(seed);
            var names = Enumerable.Range(0, 300).Select(i => $"stream/{i}").Concat(SameHash.Pairs.SelectMany(p => new[] { p.A, p.B })).ToList();
            var model = new Dictionary<string, List<uint>>();
            var order = new List<string>();
            var streams = new OpenStreams("streams");
            for (var position = 0U; position < 4000; position++)
            {
                var name = names[random.Next(random.Next(names.Count) + 1)];
                var ordinal = Find(streams, name);
                Assert.Equal(order.IndexOf(name), ordinal);
                if (ordinal < 0)
                {
                    ordinal = Begin(streams, name);
                    if (random.Next(3) == 0)
                    {
                        streams.TakeBack(ordinal);
                        Assert.Equal(-1, Find(streams, name));
                        ordinal = Begin(streams, name);
                    }

                    Assert.Equal(order.Count, ordinal);
                    order.Add(name);
                    model.Add(name, []);
                }

                Assert.Equal(100 + model[name].Count, streams.Add(ordinal));
                model[name].Add(position);
                if (random.Next(700) == 0)
                {
                    streams.Cover(position);
                }
            }

            for (var ordinal = 0; ordinal < order.Count; ordinal++)
            {
                var expected = model[order[ordinal]];
                Assert.Equal(expected.Count, streams.Events(ordinal));
                Assert.Equal(99 + expected.Count, streams.LastRevision(ordinal));
                var from = random.Next(expected.Count);
                var found = new uint[expected.Count - from];
                streams.Positions(ordinal, from, found);
                Assert.Equal(expected.Skip(from), found);
                var limit = random.Next(4001);
                Assert.Equal(expected.Count(position => position < limit), streams.EventsBelow(ordinal, limit));
            }
        }
    }

    [Fact]
    public void A_stream_is_found_among_many_newer_events_of_others()
    {
        var streams = new OpenStreams("streams");
        var rare = Begin(streams, "rare");
        var often = Begin(streams, "often");
        var model = new List<uint>();
        for (var position = 0U; position < 30_000; position++)
        {
            var isRare = position % 4999 == 0;
            streams.Add(isRare ? rare : often);
            if (isRare)
            {
                model.Add(position);
            }
        }

        for (var from = 0; from < model.Count; from++)
        {
            var found = new uint[model.Count - from];
            streams.Positions(rare, from, found);
            Assert.Equal(model.Skip(from), found);
        }
    }

    [Fact]
    public void Positions_passed_over_belong_to_no_stream()
    {
        var streams = new OpenStreams("streams");
        var (a, b) = (Begin(streams, "a"), Begin(streams, "b"));
        streams.AddGap(3);
        streams.Add(a);
        streams.AddGap(1);
        streams.AddGap(2);
        streams.Add(b);
        streams.Add(a);
        var groups = streams.Gather();
        Assert.Equal([3U, 8U], groups.Positions(a).ToArray());
        Assert.Equal([7U], groups.Positions(b).ToArray());
        Assert.Equal((3U, 7U, 9U), (streams.FirstPosition(a), streams.FirstPosition(b), streams.Next));
    }

    [Fact]
    public void Names_with_one_hash_are_two_streams()
    {
        var (a, b) = SameHash.Pairs[0];
        var streams = new OpenStreams("streams");
        streams.Add(Begin(streams, a));
        Assert.Equal(-1, Find(streams, b));
        streams.Add(Begin(streams, b));
        Assert.Equal((0, 1), (Find(streams, a), Find(streams, b)));
    }

    [Fact]
    public void Names_with_one_hash_are_two_streams_also_when_read_from_frames()
    {
        var (a, b) = SameHash.Pairs[0];
        var names = new Frames([a, b]);
        var streams = new OpenStreams("streams") { Names = names };
        var hash = Hash(a);
        streams.Add(streams.Begin(hash, [], 0, -1));
        streams.Add(streams.Begin(hash, [], 0, -1));
        Assert.Equal((0, 1), (Find(streams, a), Find(streams, b)));
        Assert.Equal(-1, Find(streams, "another"));
        Assert.Equal(3, names.Read);
    }

    [Fact]
    public void What_the_last_event_said_of_a_stream_is_known_until_the_next_one()
    {
        var streams = new OpenStreams("streams");
        var (a, b) = (Begin(streams, "a"), Begin(streams, "b"));
        streams.SetState(a, StreamState.Deleted);
        Assert.Equal((StreamState.Deleted, StreamState.Live), (streams.StateOf(a), streams.StateOf(b)));
        streams.TakeBack(a);
        Assert.Equal(StreamState.Live, streams.StateOf(Begin(streams, "c")));
        streams.Add(0);
        streams.SetState(0, StreamState.Deleted);
        streams.Add(0);
        Assert.Equal(StreamState.Live, streams.StateOf(0));
    }

    [Fact]
    public void What_the_last_event_said_of_a_restored_stream_is_read_with_its_name()
    {
        var names = new Frames(["a", "b", "a"]) { Rotten = true };
        var streams = new OpenStreams("streams") { Names = names };
        streams.Add(streams.Begin(Hash("a"), [], 0, -1));
        streams.Add(streams.Begin(Hash("b"), [], 0, -1));
        streams.Add(0);

        // Not known is not live: it is asked for again.
        Assert.Throws<SegmentDamagedException>(() => Find(streams, "a"));
        Assert.Throws<SegmentDamagedException>(() => Find(streams, "a"));
        names.Rotten = false;
        Assert.Equal((0, 1), (Find(streams, "a"), Find(streams, "b")));
        Assert.Equal((StreamState.Deleted, StreamState.Live), (streams.StateOf(0), streams.StateOf(1)));
    }

    [Fact]
    public void Names_of_refused_streams_leave_no_memory_behind()
    {
        var streams = new OpenStreams("streams");
        var name = new byte[500];
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10_000; i++)
        {
            streams.TakeBack(streams.Begin((uint)i, name, 0, -1));
        }

        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1_000_000);
    }

    internal static uint Hash(string name) => new StreamName(Encoding.UTF8.GetBytes(name)).Hash;

    private static int Find(OpenStreams streams, string name) => streams.Find(Hash(name), Encoding.UTF8.GetBytes(name));

    private static int Begin(OpenStreams streams, string name) => streams.Begin(Hash(name), Encoding.UTF8.GetBytes(name), 100, -1);

    private sealed class Frames(string[] names) : IEventNames
    {
        public int Read { get; private set; }

        public bool IsInStream(uint relativePosition, ReadOnlySpan<byte> name)
        {
            Read++;
            return name.SequenceEqual(Encoding.UTF8.GetBytes(names[relativePosition]));
        }

        public bool Rotten { get; set; }

        public StreamState StateAfter(uint relativePosition) => Rotten ? throw new SegmentDamagedException("file", 0, "rotten")
            : relativePosition == 2 ? StreamState.Deleted
            : StreamState.Live;
    }
}
