namespace KawaOrleans.Cluster.Tests.Protocol;

/// <summary>Decides, from one seed, when each call of a simulated cluster goes on and which one is lost.</summary>
internal sealed class World(int seed)
{
    private readonly List<(Func<bool> IsDead, TaskCompletionSource Resume)> _waiting = [];

    /// <summary>0: every call goes through at once, as in a plain test.</summary>
    public double Loss { get; set; }

    /// <summary>True once calls wait for <see cref="Step"/>.</summary>
    public bool IsStepped { get; set; }

    public Random Random { get; } = new(seed);

    /// <summary>How often a call was let go on.</summary>
    public long Steps { get; private set; }

    /// <summary>Calls that can go on.</summary>
    public int Waiting => _waiting.Count;

    public bool Chance(double probability) => probability > 0 && Random.NextDouble() < probability;

    public bool IsLost() => Chance(Loss);

    public Guid NewId()
    {
        var bytes = new byte[16];
        Random.NextBytes(bytes);
        return new Guid(bytes);
    }

    /// <summary>A point at which anything else may happen first; the dead never come back from it.</summary>
    public Task Pause(Func<bool> isDead)
    {
        if (!IsStepped)
        {
            return Task.CompletedTask;
        }

        var resume = new TaskCompletionSource();
        _waiting.Add((isDead, resume));
        return resume.Task;
    }

    /// <summary>Lets one waiting call go on, here and now, up to its next pause; false when none waits.</summary>
    public bool Step()
    {
        _waiting.RemoveAll(call => call.IsDead());
        if (_waiting.Count == 0)
        {
            return false;
        }

        var next = Random.Next(_waiting.Count);
        var resume = _waiting[next].Resume;
        _waiting[next] = _waiting[^1];
        _waiting.RemoveAt(_waiting.Count - 1);
        Steps++;
        resume.SetResult();
        return true;
    }
}
