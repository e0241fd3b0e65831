using System.Text;
using KawaOrleans.Storage.Streams;

namespace KawaOrleans.Storage.Tests.Streams;

public sealed class OpenStreamsTests
{
    [Fact]
    public void Lists_of_positions_hold_what_lists_hold()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var random = new Random(seed);
            var lists = new PositionLists();
            var model = Enumerable.Range(0, 6).Select(_ => (Numbers: new List<uint>(), Last: 0U)).ToArray();
            for (var i = 0U; i < 9000; i++)
            {
                ref var list = ref model[random.Next(3) == 0 ? random.Next(model.Length) : 0];
                list.Last = lists.Add(list.Last, list.Numbers.Count, i);
                list.Numbers.Add(i);
            }

            foreach (var (numbers, last) in model)
            {
                for (var from = 0; from < numbers.Count; from += 1 + random.Next(200))
                {
                    var target = new uint[Math.Min(numbers.Count - from, random.Next(3000))];
                    lists.Copy(last, numbers.Count, from, target);
                    Assert.Equal(numbers.GetRange(from, target.Length), target);
                }
            }
        }
    }

    [Fact]
    public void Streams_hold_what_a_dictionary_holds()
    {
        for (var seed = 0; seed < 40; seed++)
        {
            var random = new Random(seed);
            var names = Enumerable.Range(0, 300).Select(i => $"stream/{i}").Concat(SameHash.Pairs.SelectMany(p => new[] { p.A, p.B })).ToList();
            var model = new Dictionary<string, List<uint>>();
            var order = new List<string>();
            var streams = new OpenStreams();
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

                Assert.Equal(100 + model[name].Count, streams.Add(ordinal, position));
                model[name].Add(position);
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
            }
        }
    }

    [Fact]
    public void Names_with_one_hash_are_two_streams()
    {
        var (a, b) = SameHash.Pairs[0];
        var streams = new OpenStreams();
        streams.Add(Begin(streams, a), 0);
        Assert.Equal(-1, Find(streams, b));
        streams.Add(Begin(streams, b), 1);
        Assert.Equal((0, 1), (Find(streams, a), Find(streams, b)));
    }

    [Fact]
    public void Names_with_one_hash_are_two_streams_also_when_read_from_frames()
    {
        var (a, b) = SameHash.Pairs[0];
        var names = new Frames([a, b]);
        var streams = new OpenStreams { Names = names };
        var hash = Hash(a);
        streams.Add(streams.Begin(hash, [], 0, -1), 0);
        streams.Add(streams.Begin(hash, [], 0, -1), 1);
        Assert.Equal((0, 1), (Find(streams, a), Find(streams, b)));
        Assert.Equal(-1, Find(streams, "another"));
        Assert.Equal(3, names.Read);
    }

    [Fact]
    public void What_the_last_event_said_of_a_stream_is_known_until_the_next_one()
    {
        var streams = new OpenStreams();
        var (a, b) = (Begin(streams, "a"), Begin(streams, "b"));
        streams.SetState(a, StreamState.Deleted);
        Assert.Equal((StreamState.Deleted, StreamState.Live), (streams.StateOf(a), streams.StateOf(b)));
        streams.TakeBack(a);
        Assert.Equal(StreamState.Live, streams.StateOf(Begin(streams, "c")));
        streams.Add(0, 0);
        streams.SetState(0, StreamState.Deleted);
        streams.Add(0, 1);
        Assert.Equal(StreamState.Live, streams.StateOf(0));
    }

    [Fact]
    public void What_the_last_event_said_of_a_restored_stream_is_read_with_its_name()
    {
        var streams = new OpenStreams { Names = new Frames(["a", "b", "a"]) };
        streams.Add(streams.Begin(Hash("a"), [], 0, -1), 0);
        streams.Add(streams.Begin(Hash("b"), [], 0, -1), 1);
        streams.Add(0, 2);
        Assert.Equal((0, 1), (Find(streams, "a"), Find(streams, "b")));
        Assert.Equal((StreamState.Deleted, StreamState.Live), (streams.StateOf(0), streams.StateOf(1)));
    }

    [Fact]
    public void Names_of_refused_streams_leave_no_memory_behind()
    {
        var streams = new OpenStreams();
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

        public StreamState StateAfter(uint relativePosition) => relativePosition == 2 ? StreamState.Deleted : StreamState.Live;
    }
}
