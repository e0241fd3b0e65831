using System.Text;
using KawaOrleans.Storage.Streams;
using KawaOrleans.Storage.Tests.Simulation;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Tests.Streams;

public sealed class HeadRunTests
{
    private const string Folder = "/kawa/logs/x";
    private readonly SimulatedVolume _volume = new();

    public HeadRunTests() => _volume.CreateDirectory(Folder);

    [Fact]
    public void A_run_answers_what_it_was_made_of()
    {
        for (var seed = 0; seed < 30; seed++)
        {
            var random = new Random(seed);
            var sources = new List<Heads>();
            var model = new Dictionary<string, StreamHead>();
            var position = 0L;
            for (var source = 0; source < 1 + random.Next(4); source++)
            {
                var heads = new Heads(position, position += 1000);
                for (var i = random.Next(2000); i > 0; i--)
                {
                    heads.All[Name(random.Next(3000))] = new StreamHead(random.Next(1000), position - random.Next(1000), position, (StreamState)random.Next(3));
                }

                heads.All.ToList().ForEach(h => model[h.Key] = h.Value);
                sources.Insert(0, heads);
            }

            var run = HeadMerge.Run(_volume, Folder, Sample.LogId, sources);

            Assert.Equal((0, position, model.Count), (run.From, run.To, run.Streams));
            AssertHolds(run, model);
            var merged = HeadMerge.Run(_volume, Folder, Sample.LogId, [new Heads(position, position + 1) { All = { ["new"] = new StreamHead(1, 2, 3) } }, run]);
            AssertHolds(merged, new Dictionary<string, StreamHead>(model) { ["new"] = new(1, 2, 3) });
        }
    }

    [Fact]
    public void Names_with_one_hash_have_two_heads()
    {
        var heads = new Heads(0, 10);
        foreach (var (a, b) in SameHash.Pairs)
        {
            heads.All[a] = new StreamHead(1, 1, 1);
            heads.All[b] = new StreamHead(2, 2, 2);
        }

        AssertHolds(HeadMerge.Run(_volume, Folder, Sample.LogId, [heads]), heads.All);
    }

    [Fact]
    public void Of_names_with_one_hash_the_one_that_is_not_there_is_not_found()
    {
        var (a, b) = SameHash.Pairs[0];
        var run = HeadMerge.Run(_volume, Folder, Sample.LogId, [new Heads(0, 10) { All = { [a] = new StreamHead(1, 1, 1) } }]);
        Assert.Null(Find(run, b));
    }

    [Fact]
    public void Many_names_of_the_greatest_length_lie_in_many_blocks()
    {
        var heads = new Heads(0, 10);
        for (var i = 0; i < 100; i++)
        {
            heads.All[new string('x', Limits.MaxNameBytes - 4) + (1000 + i)] = new StreamHead(i, i, i);
        }

        var run = HeadMerge.Run(_volume, Folder, Sample.LogId, [heads]);
        Assert.InRange(run.Layout.Blocks, 14, 20);
        AssertHolds(run, heads.All);
    }

    [Fact]
    public void An_empty_run_has_nobody()
    {
        var run = HeadMerge.Run(_volume, Folder, Sample.LogId, [new Heads(0, 10)]);
        Assert.Null(Find(run, "a"));
        Assert.False(run.Read().MoveNext());
    }

    [Fact]
    public void A_flipped_bit_is_never_answered_with_a_wrong_head()
    {
        var heads = new Heads(0, 10);
        for (var i = 0; i < 40; i++)
        {
            heads.All[Name(i)] = new StreamHead(i, i, i);
        }

        var path = HeadMerge.Run(_volume, Folder, Sample.LogId, [heads]).Path;
        for (var at = 0; at < _volume.Bytes(path).Length; at++)
        {
            _volume.Bytes(path)[at] ^= (byte)(1 << (at % 8));
            if (HeadRun.TryOpen(_volume, path) is { } opened)
            {
                try
                {
                    AssertHolds(opened, heads.All);
                }
                catch (SegmentDamagedException)
                {
                    // Told, not answered.
                }
            }

            _volume.Bytes(path)[at] ^= (byte)(1 << (at % 8));
        }

        AssertHolds(HeadRun.TryOpen(_volume, path)!, heads.All);
    }

    [Fact]
    public void A_run_cut_short_is_none()
    {
        var path = HeadMerge.Run(_volume, Folder, Sample.LogId, [new Heads(0, 10) { All = { ["a"] = new StreamHead(1, 1, 1) } }]).Path;
        byte[] whole;
        using (var file = _volume.Open(path, writable: false))
        {
            whole = new byte[file.Length];
            file.Read(0, whole);
        }

        for (var length = 1; length < whole.Length; length += 97)
        {
            _volume.Delete(path);
            using (var file = _volume.Create(path, length, Preparation.Allocated))
            {
                file.Write(0, whole.AsSpan(0, length));
            }

            Assert.Null(HeadRun.TryOpen(_volume, path));
        }
    }

    private static string Name(int i) => $"{(i % 3 == 0 ? "order" : "a much longer name of a stream/")}-{i}";

    private static StreamHead? Find(HeadRun run, string name) => run.Find(new StreamName(Encoding.UTF8.GetBytes(name)));

    private static void AssertHolds(HeadRun run, IReadOnlyDictionary<string, StreamHead> model)
    {
        var read = new Dictionary<string, StreamHead>();
        for (var cursor = run.Read(); cursor.MoveNext();)
        {
            read.Add(Encoding.UTF8.GetString(cursor.Current.Name), cursor.Current.Head);
        }

        Assert.Equal(model.OrderBy(h => h.Key, StringComparer.Ordinal), read.OrderBy(h => h.Key, StringComparer.Ordinal));
        Assert.All(model, h => Assert.Equal(h.Value, Find(run, h.Key)));
        Assert.Null(Find(run, "nobody"));
    }

    private sealed class Heads(long from, long to) : IHeadSource
    {
        public Dictionary<string, StreamHead> All { get; } = [];

        public long From { get; } = from;

        public long To { get; } = to;

        public long Streams => All.Count;

        public IHeadCursor Read() => new Cursor([.. All]);

        private sealed class Cursor : IHeadCursor
        {
            private readonly (byte[] Name, StreamHead Head)[] _heads;
            private int _at = -1;

            public Cursor(KeyValuePair<string, StreamHead>[] heads)
            {
                _heads = Array.ConvertAll(heads, h => (Encoding.UTF8.GetBytes(h.Key), h.Value));
                Array.Sort(_heads, (a, b) => Entry(a).CompareTo(Entry(b)));
            }

            public HeadEntry Current => Entry(_heads[_at]);

            public bool MoveNext() => ++_at < _heads.Length;

            private static HeadEntry Entry((byte[] Name, StreamHead Head) head) => new(new StreamName(head.Name).Hash, head.Name, head.Head);
        }
    }
}
