using KawaOrleans.Benchmarks.Engine.Peers;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Engine.Rows;

/// <summary>Batches of a thousand, each on disk before the next begins.</summary>
internal static class DurableBatch
{
    private const string Ours = "durable tail";

    /// <summary>What no store that writes the same bytes and syncs them can beat.</summary>
    private const string Disk = "plain write and sync";

    public static Row Row { get; } = new("batch-durable", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        foreach (var size in BodySize.Both.Where(s => run.Wants(Id(s, "fasterlog")) || run.Wants(Id(s, "databases"))))
        {
            var batches = run.Pick(10, 60);
            var rounds = run.Pick(5, 11);
            var warmups = run.Pick(1, 2);
            var events = batches * BodySize.BatchEvents;
            var folder = run.Scratch.Folder("batch-durable");
            using var segment = Segments.Create(folder, Segments.FileBytesFor(size, (long)events * (rounds + warmups)));
            var writer = segment.OpenWriter(Guid.NewGuid());
            using var faster = FasterLogPeer.OnDisk(Folder(folder, "faster"), memoryBits: 27);
            using var disk = new SyncProbe(folder, size.Batch.Bytes.Length);
            var databases = Databases(folder).ToList();
            List<Side> sides =
            [
                Side.WaitingRate(Ours, events, async () =>
                {
                    for (var i = 0; i < batches; i++)
                    {
                        await writer.AppendAsync(size.Batch);
                    }
                }),
                Side.Rate(Disk, events, () => disk.Each(batches)),
                .. databases.Prepend(faster).Select(peer => Side.Rate(peer.Name, events, () => peer.AppendDurably(size, batches))),
            ];
            var found = Rounds.Compare(warmups, rounds, sides);
            yield return new Figure
            {
                Id = Id(size, "fasterlog"),
                Title = $"durable batch of 1,000, one sync each, vs FasterLog commit per 1,000, {size}",
                Unit = Unit.Times,
                Goal = size == BodySize.Small ? Goal.AtLeast(4, 6) : Goal.AtLeast(2, 6),
                Value = found.Ratio(Ours, faster.Name),
                Detail = UnitText.Text($"{found.Describe(Ours, faster.Name, UnitText.PerSecond)}; {Disk} of the same bytes is {found.Ratio(Disk, faster.Name):0.0}× of it"),
            };

            var absent = Presences.Where(p => !p.IsAvailable).ToList();
            var best = databases.MaxBy(p => found.Median(p.Name));
            yield return new Figure
            {
                Id = Id(size, "databases"),
                Title = $"durable batch of 1,000, vs the best of LMDB, RocksDB, SQLite, {size}",
                Unit = Unit.Times,
                Goal = Goal.AtLeast(1.5, 2.5),
                Value = absent.Count == 0 ? found.Ratio(Ours, best!.Name) : null,
                Detail = string.Join("; ", absent.Select(p => $"{p.Name} {p.Version}").Append(found.Describe(UnitText.PerSecond))),
            };
            databases.ForEach(p => p.Dispose());
            Scratch.Remove(folder);
        }
    }

    private static IEnumerable<PeerPresence> Presences => [LmdbPeer.Presence, RocksDbPeer.Presence, SqlitePeer.Presence];

    private static IEnumerable<IPeer> Databases(string folder)
    {
        if (LmdbPeer.Presence.IsAvailable)
        {
            yield return new LmdbPeer(Folder(folder, "lmdb"), durable: true);
        }

        if (RocksDbPeer.Presence.IsAvailable)
        {
            yield return new RocksDbPeer(Folder(folder, "rocksdb"), durable: true);
        }

        if (SqlitePeer.Presence.IsAvailable)
        {
            yield return new SqlitePeer(Folder(folder, "sqlite"));
        }
    }

    private static string Folder(string folder, string name) => Directory.CreateDirectory(Path.Combine(folder, name)).FullName;

    private static string Id(BodySize size, string against) => $"batch-durable.{size.Bytes}.{against}";
}
