
namespace KawaOrleans.Client.Tests;

/// <summary>Logs in memory behind the grain interfaces, with a <see cref="Mishap"/> where the test wants one.</summary>
internal sealed class FakeCluster(TimeProvider time) : IGrains
{
    private readonly Dictionary<string, FakeLog> _logs = [];
    private readonly Dictionary<(Guid, string), FakeSegment> _segments = [];

    public Lock Gate { get; } = new();

    public TimeProvider Time => time;

    /// <summary>Asked before every call: what goes wrong with it. Calls are named like the grain's methods.</summary>
    public Func<string, Mishap> Mishaps { get; set; } = static _ => Mishap.None;

    /// <summary>Awaited at the beginning of every call: what holds it up.</summary>
    public Func<string, CancellationToken, Task> Holds { get; set; } = static (_, _) => Task.CompletedTask;

    public IEventStoreGrain EventStore => throw new NotSupportedException();

    public ISegmentDirectoryGrain Directory(string log) => Log(log);

    /// <summary>True: calls to the directory nearby are named <c>Nearby0…</c> by the number of their turn; otherwise like those to the other one.</summary>
    public bool NearbyIsApart { get; set; }

    public ISegmentDirectoryGrain DirectoryNearby(string log, int turn) => new FakeNearbyDirectory(this, Log(log), turn);

    public ISegmentGrain Segment(Guid segmentId, string node)
    {
        lock (Gate)
        {
            if (!_segments.TryGetValue((segmentId, node), out var segment))
            {
                _segments.Add((segmentId, node), segment = new FakeSegment(this, segmentId, node));
            }

            return segment;
        }
    }

    public FakeLog Log(string name)
    {
        lock (Gate)
        {
            if (!_logs.TryGetValue(name, out var log))
            {
                _logs.Add(name, log = new FakeLog(this, name));
            }

            return log;
        }
    }

    /// <summary>The log's part in a segment, or null when this node does not have it (any more).</summary>
    public FakeLog? Owner(Guid segmentId, string node) =>
        _logs.Values.FirstOrDefault(log => log.Segments.Any(segment => segment.Id == segmentId && segment.Primary == node));

    /// <summary>Runs a call with whatever goes wrong with it.</summary>
    public async Task<T> Call<T>(string name, string node, Func<T> execute, CancellationToken cancellation)
    {
        T Locked()
        {
            lock (Gate)
            {
                return execute();
            }
        }

        async Task Late()
        {
            await Task.Delay(TimeSpan.FromMilliseconds(60), time, CancellationToken.None);
            Locked();
        }

        await Holds(name, cancellation);
        switch (Mishaps(name))
        {
            case Mishap.None:
                return Locked();
            case Mishap.Slow:
                await Task.Delay(TimeSpan.FromSeconds(4), time, cancellation);
                return Locked();
            case Mishap.NodeDown:
                throw new NodeUnavailableException(node);
            case Mishap.NotWritable:
                throw new LogNotWritableException("a log", "a mishap");
            case Mishap.StoreAway:
                throw new ChainStoreException(ChainStoreProblem.Away, "a mishap");
            case Mishap.AnswerLost:
                Locked();
                return await Never<T>(cancellation);
            case Mishap.AnswerLate:
                var answer = Locked();
                await Task.Delay(TimeSpan.FromMilliseconds(100), time, cancellation);
                return answer;
            case Mishap.Duplicated:
                _ = Late();
                return Locked();
            case Mishap.ExecutedLate:
                _ = Late();
                throw new Orleans.Runtime.SiloUnavailableException("connection lost");
            case Mishap.RequestLost:
                return await Never<T>(cancellation);
            case Mishap.ConnectionLostAfter:
                Locked();
                throw new Orleans.Runtime.SiloUnavailableException("connection lost");
            case Mishap.ConnectionLostBefore:
                throw new Orleans.Runtime.SiloUnavailableException("connection lost");
            default:
                throw new NotSupportedException();
        }
    }

    private static async Task<T> Never<T>(CancellationToken cancellation)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, cancellation);
        throw new NotSupportedException();
    }
}

/// <summary>What goes wrong with a call.</summary>
internal enum Mishap
{
    None,

    /// <summary>Executed and answered after four seconds.</summary>
    Slow,

    /// <summary>Not executed: the node is known to be dead.</summary>
    NodeDown,

    /// <summary>Not executed: the log takes nothing.</summary>
    NotWritable,

    /// <summary>Not executed: the silo does not reach the chain store.</summary>
    StoreAway,

    /// <summary>Executed, but no answer ever comes.</summary>
    AnswerLost,

    /// <summary>Executed, and answered with what was true then a tenth of a second later.</summary>
    AnswerLate,

    /// <summary>Not executed, and no answer ever comes.</summary>
    RequestLost,

    /// <summary>Executed; the caller gets a transport error.</summary>
    ConnectionLostAfter,

    /// <summary>Not executed; the caller gets a transport error.</summary>
    ConnectionLostBefore,

    /// <summary>Executed and answered, and some time later executed again.</summary>
    Duplicated,

    /// <summary>The caller gets a transport error, and some time later the call is executed all the same.</summary>
    ExecutedLate,
}
