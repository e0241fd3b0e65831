using System.Buffers.Binary;
using System.Diagnostics;

namespace KawaOrleans.Faults.Tests.Killing;

/// <summary>An <see cref="AppendingProcess"/> as another process sees it: what it told, also what it told just before it died.</summary>
internal sealed class ToldProcess : IDisposable
{
    private readonly Process _process;
    private readonly Task _reading;
    private readonly Task<string> _errors;
    private readonly Lock _gate = new();
    private readonly Dictionary<char, (int Times, long Number)> _told = [];
    private readonly List<(char Letter, int Times, TaskCompletionSource<bool> Reached)> _waiting = [];
    private bool _ended;

    public ToldProcess(string directory)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(typeof(ToldProcess).Assembly.Location);
        start.ArgumentList.Add(directory);
        _process = Process.Start(start)!;
        _errors = _process.StandardError.ReadToEndAsync();
        _reading = Task.Run(ReadAsync);
    }

    /// <summary>The last number told with a letter, or 0.</summary>
    public long Number(char letter)
    {
        lock (_gate)
        {
            return _told.GetValueOrDefault(letter).Number;
        }
    }

    /// <summary>Completes when the letter was told so many times; fails if the process ends before.</summary>
    public async Task ToldAsync(char letter, int times)
    {
        var reached = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_told.GetValueOrDefault(letter).Times >= times)
            {
                return;
            }

            if (_ended)
            {
                reached.SetResult(false);
            }

            _waiting.Add((letter, times, reached));
        }

        if (!await reached.Task)
        {
            Assert.Fail($"it ended by itself: {await _errors}");
        }
    }

    /// <summary>kill -9; returns when all it told has been read.</summary>
    public async Task KillAsync()
    {
        Assert.False(_process.HasExited, "it ended by itself");
        _process.Kill();
        await _process.WaitForExitAsync();
        await _reading;
    }

    /// <summary>The exit code of a process that ends by itself, and what it said.</summary>
    public async Task<(int Code, string Said)> EndAsync()
    {
        await _process.WaitForExitAsync();
        return (_process.ExitCode, await _errors);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    private async Task ReadAsync()
    {
        var told = new byte[AppendingProcess.ToldBytes];
        while (await _process.StandardOutput.BaseStream.ReadAtLeastAsync(told, told.Length, throwOnEndOfStream: false) == told.Length)
        {
            Hear((char)told[0], BinaryPrimitives.ReadInt64LittleEndian(told.AsSpan(1)));
        }

        lock (_gate)
        {
            _ended = true;
            _waiting.ForEach(static waiting => waiting.Reached.TrySetResult(false));
        }
    }

    private void Hear(char letter, long number)
    {
        lock (_gate)
        {
            var times = _told.GetValueOrDefault(letter).Times + 1;
            _told[letter] = (times, number);
            _waiting.RemoveAll(waiting => waiting.Letter == letter && waiting.Times <= times && waiting.Reached.TrySetResult(true));
        }
    }
}
