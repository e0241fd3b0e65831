using Xunit.Abstractions;

namespace KawaOrleans.Cluster.Tests.Replicas;

/// <summary>Nodes die, fall silent, miss what others are told and return, in random order, while a log is written; every read is compared with what was
/// appended. A new seed in every run, printed; <c>KAWA_SEED=n</c> replays its choices, <c>KAWA_SWEEP=full</c> takes ten times as many steps.</summary>
public sealed class ReplicaReadSweepTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Whatever_nodes_do_every_read_shows_what_was_appended_N3_A2()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("KAWA_SEED"), out var given) ? given : Random.Shared.Next();
        output.WriteLine($"KAWA_SEED={seed}");
        var steps = Environment.GetEnvironmentVariable("KAWA_SWEEP") == "full" ? 600 : 60;
        var random = new Random(seed);
        await using var log = await ReplicatedLog.Start(options => options.BlocksAhead = random.Next(1, 5));
        await log.Append(random.Next(1, 100));
        int? dead = null;
        for (var step = 0; step < steps; step++)
        {
            var what = "";
            try
            {
                switch (random.Next(12))
                {
                    case 0 when dead is null:
                        what = "a silo dies";
                        log.Cuts.Heal();
                        await log.Mended();
                        dead = random.Next(3);
                        await log.Cluster.Kill(dead.Value);
                        break;
                    case 1 or 2 when dead is { } back:
                        what = $"silo {dead} returns";
                        dead = null;
                        await log.Start(back);
                        break;
                    case 3 or 4 when dead is null:
                        what = "a node falls silent";
                        log.Cuts.Heal();
                        await log.Mended();
                        log.Cuts.FromReaders(KawaCluster.NodeName(random.Next(3)));
                        break;
                    case 5 when dead is null:
                        what = "a node is told nothing";
                        log.Cuts.Heal();
                        log.Cuts.FromPrimaries(KawaCluster.NodeName(random.Next(3)));
                        break;
                    case 6:
                        what = "all are heard again";
                        log.Cuts.Heal();
                        break;
                    case 7 or 8:
                        what = "an append";
                        await TryAppend(log, random.Next(1, 60), random.Next(1, 12));
                        break;
                    case 9:
                        what = "a read by position";
                        await log.AssertReadsByPosition();
                        break;
                    case 10:
                        what = "a read by stream";
                        await log.AssertReadsByStream();
                        break;
                    default:
                        what = "a list or a query";
                        await (random.Next(2) == 0 ? log.AssertLists() : log.AssertQueries());
                        break;
                }
            }
            catch (Exception e)
            {
                throw new InvalidOperationException(
                    $"KAWA_SEED={seed}, step {step}, {what}, dead {dead}, silent {string.Join(',', log.Cuts.Silent)}: {e.Message} {await Standing(log, dead)}", e);
            }
        }

        log.Cuts.Heal();
        await log.AssertAllReads();
    }

    /// <summary>What the log is like after a failure, for whoever looks into it.</summary>
    private static async Task<string> Standing(ReplicatedLog log, int? dead)
    {
        try
        {
            var described = await log.Directory.Describe();
            var last = described.Chain.Segments.TakeLast(3).SelectMany(segment => segment.Ensemble
                .Where(node => ReplicatedLog.SiloOf(node.Name) != dead)
                .Select(node => $"{segment.Id:N} [{segment.Base}, {segment.End}) of {segment.Ensemble.Count} on {node.Name}: {Of(log.TryReplica(segment, node.Name))}"));
            return $"Chain version {described.Chain.Version}, not writable: '{described.WhyNotWritable}'; {string.Join("; ", last)}";
        }
        catch (Exception e)
        {
            return $"The log could not be described: {e.Message}";
        }

        static string Of(Storage.Segment? replica) => replica is null ? "none" : $"{replica.State}, tail {replica.Tail.Position}, committed {replica.Committed}";
    }

    private static async Task TryAppend(ReplicatedLog log, int events, int batch)
    {
        try
        {
            await log.Append(events, batch);
        }
        catch (Exception e) when (e is LogNotWritableException or DirectoryUnavailableException)
        {
            // Nothing was written: too few nodes, or not those that know the heads of streams, or a primary that answers and is told nothing. The
            // directory tries for longer than a client waits.
        }
    }
}
