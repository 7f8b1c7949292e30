from django.urls import path

from envoi.console.broadcasts import doubts, index, log, notice_log, notice_page, page, preview, steer, wizard

app_name = "broadcasts"

urlpatterns = [
    path("", index.broadcasts, name="list"),
    path("new/", wizard.channel, name="new"),
    path("targets.json", wizard.target_choices, name="target-choices"),
    path("<int:pk>/", page.broadcast, name="show"),
    path("<int:pk>/targets/", wizard.targets, name="targets"),
    path("<int:pk>/targets/count/", wizard.count, name="count"),
    path("<int:pk>/content/", wizard.content, name="content"),
    path("<int:pk>/review/", wizard.review, name="review"),
    path("<int:pk>/preview/", preview.pane, name="preview"),
    path("<int:pk>/preview/document/", preview.document, name="preview-document"),
    path("<int:pk>/preview/dashboard/", preview.notice_document, name="notice-document"),
    path("<int:pk>/tests/", preview.test_message, name="test"),
    path("<int:pk>/sending/", steer.send, name="send"),
    path("<int:pk>/pause/", steer.pause, name="pause"),
    path("<int:pk>/resumption/", steer.resume, name="resume"),
    path("<int:pk>/cancellation/", steer.cancel, name="cancel"),
    path("<int:pk>/retries/", steer.retry, name="retry"),
    path("<int:pk>/doubts/", doubts.decide, name="doubts"),
    path("<int:pk>/copies/", steer.duplicate, name="duplicate"),
    path("<int:pk>/removal/", steer.delete, name="delete"),
    path("<int:pk>/progress/", page.progress, name="progress"),
    path("<int:pk>/numbers/", page.numbers, name="numbers"),
    path("<int:pk>/recipients/", log.recipients, name="log"),
    path("<int:pk>/recipients.csv", log.export, name="log-export"),
    path("<int:pk>/notice/", notice_page.change, name="notice-change"),
    path("<int:pk>/notice/numbers/", notice_page.numbers, name="notice-numbers"),
    path("<int:pk>/notice/end/", notice_page.end, name="notice-end"),
    path("<int:pk>/notice/withdrawal/", notice_page.withdraw, name="notice-withdraw"),
    path("<int:pk>/readers/", notice_log.readers, name="readers"),
    path("<int:pk>/readers.csv", notice_log.export, name="readers-export"),
    path("<int:pk>/readers/<int:reading>/reminder/", notice_log.undo, name="reader-undo"),
]
