using System.Net;
using KawaOrleans.Server.Nodes;
using Orleans.Runtime;

namespace KawaOrleans.Cluster.Tests.Nodes;

public sealed class SilentSilosTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);
    private static readonly SiloAddress Silo = SiloAddress.New(new IPEndPoint(IPAddress.Loopback, 1), 1);
    private static readonly SiloAddress Restarted = SiloAddress.New(new IPEndPoint(IPAddress.Loopback, 1), 2);

    [Fact]
    public void Only_the_first_call_to_a_silent_silo_waits_long_and_a_restarted_one_is_another()
    {
        var silent = new SilentSilos();
        Assert.Equal(Limit, silent.Limit(Silo, Limit));
        _ = silent.Unanswered(Silo, new TaskCompletionSource().Task);
        Assert.InRange(silent.Limit(Silo, Limit), TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(200));
        Assert.Equal(TimeSpan.FromMilliseconds(10), silent.Limit(Silo, TimeSpan.FromMilliseconds(10)));
        Assert.Equal(Limit, silent.Limit(Restarted, Limit));
        silent.Heard(Silo);
        Assert.Equal(Limit, silent.Limit(Silo, Limit));
    }

    [Fact]
    public async Task A_late_answer_gives_a_slow_silo_its_time_again_and_a_late_error_does_not()
    {
        var silent = new SilentSilos();
        var (late, never) = (new TaskCompletionSource(), new TaskCompletionSource());
        var waiting = silent.Unanswered(Silo, late.Task);
        Assert.True(silent.Contains(Silo));
        late.SetResult();
        await waiting;
        Assert.False(silent.Contains(Silo));

        waiting = silent.Unanswered(Silo, never.Task);
        never.SetException(new TimeoutException());
        await waiting;
        Assert.True(silent.Contains(Silo));
    }
}
