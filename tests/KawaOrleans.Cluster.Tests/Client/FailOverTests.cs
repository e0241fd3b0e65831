using System.Text;
using KawaOrleans.Server.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;

namespace KawaOrleans.Cluster.Tests.Client;

/// <summary>Appends to a log of three replicas, two of which acknowledge, while silos die: through the client, on real silos.</summary>
public sealed class FailOverTests : IAsyncLifetime
{
    private static readonly LogOptions Replicated = new() { SegmentBytes = 1 << 20, Replicas = 3, AckQuorum = 2 };

    private readonly string _root = KawaCluster.NewRoot();
    private KawaCluster _cluster = null!;
    private ILog _log = null!;

    public async Task InitializeAsync() => await Begin();

    public async Task DisposeAsync()
    {
        await _cluster.DisposeAsync();
        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public async Task The_primarys_silo_dies_amid_appends_and_none_fails_or_is_lost_N3_A2()
    {
        var writers = new Writers(_log);
        await writers.Reach(20);
        var first = await WriteSegment();

        await _cluster.Kill(SiloOf(first.Primary));
        await writers.Reach(60);

        var now = await WriteSegment();
        Assert.NotEqual(first.Id, now.Id);
        Assert.NotEqual(first.Primary, now.Primary);
        await AssertWhole(await writers.Stop());
    }

    [Fact]
    public async Task A_followers_silo_dies_amid_appends_and_none_fails_or_is_lost_N3_A2()
    {
        var writers = new Writers(_log);
        await writers.Reach(20);
        var first = await WriteSegment();

        await _cluster.Kill(SiloOf(first.Ensemble[1].Name));
        await writers.Reach(60);

        await AssertWhole(await writers.Stop());
    }

    [Fact]
    public async Task The_directorys_silo_dies_amid_appends_and_rolls_go_on_N3_A2()
    {
        var directory = _cluster.Client.GetGrain<ISegmentDirectoryGrain>(_log.Name);
        await directory.GetChain();
        var at = await _cluster.Client.GetGrain<IManagementGrain>(0).GetActivationAddress(directory);
        var silo = Enumerable.Range(0, 3).Single(index => _cluster.Handle(index).SiloAddress.Equals(at));
        var writers = new Writers(_log, eventBytes: 20_000);
        await writers.Reach(5);
        var first = await WriteSegment();

        await _cluster.Kill(silo);
        await writers.Reach(40);

        // 160 events of 20 kB are more than a first segment holds.
        Assert.NotEqual(first.Id, (await WriteSegment()).Id);
        await AssertWhole(await writers.Stop());
    }

    [Fact]
    public async Task Without_two_of_three_appends_end_with_the_nodes_names_and_go_on_when_one_returns_N3_A2()
    {
        var told = new List<Appended>();
        told.Add(await _log.AppendAsync(Event("before")));
        var first = await WriteSegment();
        foreach (var node in first.Ensemble.Take(2))
        {
            await _cluster.Kill(SiloOf(node.Name));
        }

        // What is said last may be that nobody answered; sooner or later it is who is missing.
        var said = "";
        for (var attempt = 0; attempt < 10 && !first.Ensemble.Take(2).All(node => said.Contains($"'{node.Name}'", StringComparison.Ordinal)); attempt++)
        {
            var refused = await Assert.ThrowsAnyAsync<KawaException>(() => _log.AppendAsync(Event("during")));
            Assert.True(refused is UnknownOutcomeException or LogNotWritableException or DirectoryUnavailableException, $"{refused}");
            said = refused.Message;
        }

        Assert.All(first.Ensemble.Take(2), node => Assert.Contains($"'{node.Name}'", said, StringComparison.Ordinal));

        await _cluster.Restart(SiloOf(first.Ensemble[1].Name));
        told.Add(await Patiently(() => _log.AppendAsync(Event("after"))));
        var now = await WriteSegment();
        Assert.Equal(2, now.Ensemble.Count);
        var read = await ReadAll();
        Assert.Equal("before", read[(int)told[0].First]);
        Assert.Equal("after", read[(int)told[1].First]);

        // The third is back: the log is rolled to all three, once somebody looks.
        await _cluster.Restart(SiloOf(first.Ensemble[0].Name));
        var full = await Patiently(async () =>
        {
            var chain = await _cluster.Client.GetGrain<ISegmentDirectoryGrain>(_log.Name).OpenWriteSegment(now.Id, 0);
            return chain.WriteSegment!.Ensemble.Count == 3 ? chain.WriteSegment : throw new LogNotWritableException(_log.Name, "it is not on three nodes yet");
        });
        Assert.NotEqual(now.Id, full.Id);
        Assert.Equal(read.Count, (await _log.AppendAsync(Event("on three"))).First);
    }

    [Fact]
    public async Task A_restart_of_all_silos_ends_what_was_open_and_shows_all_of_it_without_an_append_N3_A2()
    {
        for (var i = 0; i < 10; i++)
        {
            await _log.AppendAsync(Event($"{i}"));
        }

        var open = await WriteSegment();
        await _cluster.DisposeAsync();
        await Begin();

        var chain = await Patiently(async () =>
        {
            var now = await _cluster.Client.GetGrain<ISegmentDirectoryGrain>(_log.Name).GetChain();
            return now.Segments.Single(segment => segment.Id == open.Id).IsOpen ? throw new LogNotWritableException(_log.Name, "nobody ended it yet") : now;
        });
        Assert.Equal(10, chain.Segments.Single(segment => segment.Id == open.Id).End);
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"{i}"), await ReadAll());
        Assert.Equal(10, (await _log.AppendAsync(Event("10"))).First);
    }

    [Fact]
    public async Task An_append_that_its_followers_refuse_is_repeated_in_the_next_segment_and_is_there_once_N3_A2()
    {
        await _log.AppendAsync(Event("before"));
        var chain = await Nearby().GetChain();
        var open = chain.WriteSegment!;
        foreach (var follower in open.Ensemble.Skip(1))
        {
            Assert.True((await _cluster.Service<NodesClient>(SiloOf(open.Primary)).Fence(follower.Name, chain.LogId, open.Id, 0, default)).IsKnown);
        }

        var appended = await _log.AppendAsync(Event("refused once"));

        Assert.Equal(1, appended.First);
        Assert.NotEqual(open.Id, (await WriteSegment()).Id);
        Assert.Equal(["before", "refused once"], await ReadAll());
    }

    [Fact]
    public async Task A_report_about_a_primary_that_is_well_changes_nothing_N3_A2()
    {
        await _log.AppendAsync(Event("0"));
        foreach (var directory in new[] { _cluster.Client.GetGrain<ISegmentDirectoryGrain>(_log.Name), Nearby() })
        {
            // A machine that stands still for half a second may have it taken for dead, but not each time.
            var (reports, goesOn) = (0, false);
            while (!goesOn && reports++ < 10)
            {
                var open = await WriteSegment();
                goesOn = (await directory.OpenWriteSegment(open.Id, 0)).WriteSegment!.Id == open.Id;
            }

            Assert.True(goesOn);
        }

        Assert.Equal(1, (await _log.AppendAsync(Event("1"))).First);
    }

    [Fact]
    public async Task Full_segments_are_followed_by_others_amid_appends_N3_A2()
    {
        var writers = new Writers(_log, eventBytes: 20_000);
        await writers.Reach(200);
        var chain = await _cluster.Client.GetGrain<ISegmentDirectoryGrain>(_log.Name).GetChain();
        Assert.True(chain.Segments.Count > 2, $"{chain.Segments.Count} segments");
        await AssertWhole(await writers.Stop());
    }

    private static EventData Event(string tag, int bytes = 0) => new($"stream-{tag.Length}", "counted", Encoding.UTF8.GetBytes(tag.PadRight(bytes))) { Id = Guid.NewGuid() };

    private static string TagOf(RecordedEvent e) => Encoding.UTF8.GetString(e.Data.Span).TrimEnd();

    private static int SiloOf(string node) => int.Parse(node["node-".Length..], System.Globalization.CultureInfo.InvariantCulture);

    private static async Task<T> Patiently<T>(Func<Task<T>> call)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await call();
            }
            catch (Exception e) when (attempt < 100 && (e is KawaException { IsRetryable: true } or UnknownOutcomeException or DirectoryUnavailableException or TimeoutException || (e is OrleansException and not KawaException)))
            {
                await Task.Delay(100);
            }
        }
    }

    private async Task Begin()
    {
        _cluster = await KawaCluster.Start(3, _root, configureClient: static client => client.AddKawaClient());
        _log = await Patiently(() => _cluster.Client.ServiceProvider.GetRequiredService<IEventStoreClient>().CreateLogAsync("orders", Replicated));
    }

    private ISegmentDirectoryGrain Nearby() =>
        _cluster.Client.GetGrain<ISegmentDirectoryGrain>(GrainId.Create(ISegmentDirectoryGrain.NearbyGrainType, _log.Name));

    private async Task<ChainSegment> WriteSegment() => (await Patiently(() => Nearby().GetChain())).WriteSegment!;

    private async Task AssertWhole(IReadOnlyList<(long Position, string Tag)> told)
    {
        var read = await ReadAll();
        Assert.Equal(told.Select(event_ => event_.Tag), told.Select(event_ => read[(int)event_.Position]));
        Assert.Equal(told.Count, read.Count);
        Assert.Equal(read.Count, read.Distinct().Count());
    }

    /// <summary>The tags of all events, each segment from whichever of its nodes shows it whole.</summary>
    private async Task<List<string>> ReadAll()
    {
        var chain = await Patiently(() => Nearby().OpenWriteSegment(null, 0));
        var tags = new List<string>();
        foreach (var segment in chain.Segments)
        {
            tags.AddRange(await Patiently(() => ReadSegment(segment)));
        }

        return tags;
    }

    private async Task<List<string>> ReadSegment(ChainSegment segment)
    {
        var longest = new List<string>();
        foreach (var node in segment.Ensemble)
        {
            try
            {
                var tags = new List<string>();
                var grain = _cluster.Client.GetGrain<ISegmentGrain>(segment.Id, node.Name);
                for (var next = segment.Base; ;)
                {
                    var result = await grain.Read(new ReadRequest { From = next, To = segment.End ?? long.MaxValue });
                    tags.AddRange(result.Events.ToList(next, result.Next).Select(TagOf));
                    if (result.Next == next)
                    {
                        break;
                    }

                    next = result.Next;
                }

                longest = tags.Count > longest.Count ? tags : longest;
            }
            catch (Exception e) when (e is KawaException or TimeoutException or OrleansException)
            {
                // Another one has it.
            }
        }

        return segment.End is not { } end || longest.Count == end - segment.Base ? longest : throw new LogNotWritableException(_log.Name, "no node shows the segment whole");
    }

    /// <summary>Four callers that append one event after the other; any append that fails fails the test.</summary>
    private sealed class Writers
    {
        private readonly List<(long Position, string Tag)>[] _told = [[], [], [], []];
        private readonly Task[] _writing;
        private TaskCompletionSource _more = NewSignal();
        private volatile bool _stopped;

        public Writers(ILog log, int eventBytes = 0) => _writing = [.. _told.Select((told, caller) => Task.Run(async () =>
        {
            while (!_stopped)
            {
                var tag = $"{caller}-{told.Count}";
                var appended = await log.AppendAsync(Event(tag, eventBytes));
                lock (told)
                {
                    Assert.True(told.Count == 0 || told[^1].Position < appended.First, "an append lies before one that was told earlier");
                    told.Add((appended.First, tag));
                }

                Interlocked.Exchange(ref _more, NewSignal()).TrySetResult();
            }
        }))];

        /// <summary>Until each caller was told of so many.</summary>
        public async Task Reach(int count)
        {
            var failed = Task.WhenAny(_writing);
            for (var more = Volatile.Read(ref _more).Task; _told.Any(told => Count(told) < count); more = Volatile.Read(ref _more).Task)
            {
                if (await Task.WhenAny(more, failed) == failed)
                {
                    await await failed;
                }
            }
        }

        public async Task<IReadOnlyList<(long Position, string Tag)>> Stop()
        {
            _stopped = true;
            await Task.WhenAll(_writing);
            return [.. _told.SelectMany(told => told).OrderBy(event_ => event_.Position)];
        }

        private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

        private static int Count(List<(long Position, string Tag)> told)
        {
            lock (told)
            {
                return told.Count;
            }
        }
    }
}
