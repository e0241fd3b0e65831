using System.Runtime.CompilerServices;
using System.Text;

namespace KawaOrleans.Client.Tests;

/// <summary>A client on a <see cref="FakeCluster"/> and a <see cref="VirtualTime"/>.</summary>
internal sealed class FakeStore : IDisposable
{
    public FakeStore(int seed = 1, KawaClientOptions? options = null)
    {
        Cluster = new FakeCluster(Time);
        Client = new EventStoreClient(Cluster, options ?? new KawaClientOptions(), Time, new Random(seed));
        Log = Client.Log("orders");
    }

    public VirtualTime Time { get; } = new();

    public FakeCluster Cluster { get; }

    public IEventStoreClient Client { get; }

    public ILog Log { get; }

    /// <summary>The truth behind <see cref="Log"/>.</summary>
    public FakeLog Truth => Cluster.Log("orders");

    public static EventData Event(string tag) => new("order-1", "placed", Encoding.UTF8.GetBytes(tag));

    public static string TagOf(RecordedEvent e) => Encoding.UTF8.GetString(e.Data.Span);

    /// <summary>Appends so many events, one by one. Whoever awaits it goes on upon the thread pool, without the test runner's context: from there on
    /// the clock stands still while he is at work.</summary>
    public ConfiguredTaskAwaitable Fill(int events) => OnThePool(async () =>
    {
        for (var i = 0; i < events; i++)
        {
            await Log.AppendAsync(Event($"{i}"));
        }
    });

    /// <summary>The same with other work.</summary>
    public static ConfiguredTaskAwaitable OnThePool(Func<Task> work) => Task.Run(work).ConfigureAwait(ConfigureAwaitOptions.ForceYielding);

    /// <summary>What a sequence gave before it ended, and the error that ended it, if one did.</summary>
    public static async Task<(List<RecordedEvent> Events, Exception? Error)> Drain(IAsyncEnumerable<RecordedEvent> sequence)
    {
        var events = new List<RecordedEvent>();
        try
        {
            await foreach (var e in sequence)
            {
                events.Add(e);
            }
        }
        catch (Exception e) when (e is KawaException or OperationCanceledException)
        {
            return (events, e);
        }

        return (events, null);
    }

    public void Dispose() => Time.Dispose();
}
